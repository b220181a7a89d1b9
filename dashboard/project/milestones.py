"""The milestones of a project with their fees, their money and their states."""

from __future__ import annotations

import streamlit as st

from core.money import Money
from core.queries import charges, conversions, fee_breakdown, release_blocks
from core.queries.projects import MilestoneRow, ProjectDetail
from core.rules import acceptance, holds
from core.rules.fees import Quote, explained
from core.rules.milestones import Status
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.case.queue import opening
from dashboard.ui import cards, errors, header, tables
from dashboard.ui.safe import words_of


def show(whole: ProjectDetail) -> None:
    """As plain rows: a project has few milestones, and they are read in order."""
    tables.small(
        whole.parts,
        [
            tables.count("position", "#"),
            tables.text("title", "Milestone"),
            tables.status("status", "Work", axis="milestone"),
            tables.status("payment", "Payment", axis="payment"),
            tables.money("amount", "Amount"),
            tables.money("platform_fee", "Platform fee"),
            tables.money("processing_fee", "Processing fee"),
            tables.money("charge", "Payer pays"),
            tables.money("held", "Held"),
            *([tables.money("payable", "Payable")] if whole.total("payable").minor else []),
            tables.money("released", "Released"),
            *([tables.money("refundable", "To refund")] if whole.total("refundable").minor else []),
            tables.money("refunded", "Refunded"),
            tables.when("ended_at", "Settled"),
        ],
        name="Milestones",
    )
    cards.note("Fees come on top of the amount of a milestone, and the payer pays them.")
    _fees(whole)
    _charges(whole)
    _waits(whole)
    _converted(whole)
    with st.container(horizontal=True, gap="medium"):
        _links(whole)
    header.section("What is delivered, and when it counts as accepted")
    tables.small(
        whole.parts,
        [
            tables.count("position", "#"),
            tables.text("title", "Milestone"),
            tables.text("deliverable", "Deliverable"),
            tables.text("acceptance_rule", "Accepted", value=lambda part: _accepted(whole, part)),
        ],
        name="Deliverables",
    )


def _waits(whole: ProjectDetail) -> None:
    """Why money that is due does not move."""
    numbers = [part.id for part in whole.parts]
    with request_context.reading() as session:
        there = release_blocks.at_the_payee(session, numbers)
        facts = release_blocks.facts(session, numbers)
        after = release_blocks.after_release(session, numbers)
    for part in whole.parts:
        paying = part.payable + Money(there.get(part.id, 0), part.payable.currency)
        if not (paying.minor or (part.held.minor and part.status == Status.VERIFIED)):
            continue
        blocks = (*holds.blocking(facts[part.id]), *(after[part.id] if paying.minor else ()))
        if blocks:
            title = f"Milestone {part.position}: {paying if paying.minor else part.held} waits"
            errors.reasons([each.sentence for each in blocks], title=title)


def _fees(whole: ProjectDetail) -> None:
    """How the fees of each payment come about, with their numbers, and what the processor really took."""
    with request_context.reading() as session:
        actual = fee_breakdown.actual(session, [part.id for part in whole.parts])
    with st.expander("How the fees come about"):
        for part in whole.parts:
            quoted = Quote(part.amount, part.platform_fee, part.processing_fee, part.charge)
            st.text(words_of(f"{part.position}. {part.title}"))
            for sentence in explained(quoted, whole.profile):
                cards.note(sentence)
            if part.id in actual:
                cards.note(actual[part.id].sentence)


def _charges(whole: ProjectDetail) -> None:
    """What is known of a payment that waits for the payer or their bank, or did not go through."""
    with request_context.reading() as session:
        told = charges.of_milestones(session, [part.id for part in whole.parts])
    for part in whole.parts:
        if part.id in told:
            cards.note(f"Milestone {part.position}. {told[part.id]}")


def _converted(whole: ProjectDetail) -> None:
    """What Stripe converted, with its rate."""
    for part in whole.parts:
        if part.converted:
            with request_context.reading() as session:
                found = conversions.of_milestones(session, part.id)
            cards.note(f"Milestone {part.position}. " + " ".join(each.sentence for each in found))


def _accepted(whole: ProjectDetail, part: MilestoneRow) -> str:
    return acceptance.in_words(part.acceptance_rule, whole.profile)


def _links(whole: ProjectDetail) -> None:
    """To the open cases, the way to open one, and for whoever reads the ledger to the journals of what was paid."""
    for part in whole.parts:
        if part.case_id and part.case_open:
            navigation.link("case", f"Open case D-{part.case_id}", icon=":material/balance:", id=part.case_id)
        if opening.possible(part.status, part.held):
            opening.button(part.id, f"Open a case about milestone {part.position}")
    opening.drawer()
    if request_context.may(Permission.READ_LEDGER) and "journals" in navigation.on_disk():
        for part in whole.parts:
            if part.funded_at:
                navigation.link(
                    "journals",
                    f"Journals of milestone {part.position}",
                    icon=":material/menu_book:",
                    milestone=part.id,
                )
                navigation.link(
                    "t_accounts",
                    f"T-accounts of milestone {part.position}",
                    icon=":material/account_balance:",
                    id=part.id,
                )
