"""What the parties propose to each other: the proposal that stands, the agreement, and what came before. Staff only
read it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from core.errors import DeskError
from core.queries import settlement_proposals
from core.queries.cases import CaseView
from core.queries.settlement_proposals import ProposalOfParty
from core.rules.settlement_proposals import SettlementProposalStatus
from dashboard import request_context
from dashboard.case import redaction
from dashboard.case.decision import letter_list, plan_view
from dashboard.case.decision.preview import people
from dashboard.case.tabs import documents
from dashboard.ui import cards, deadlines, header, money, status, tables
from dashboard.ui.safe import html


def show(case: CaseView, *, now: datetime) -> None:
    """Nothing at all where nobody has offered anything."""
    with request_context.reading() as session:
        made = redaction.redacted(case, settlement_proposals.of_case(session, case.id))
    if not made:
        return
    newest = made[0]
    if newest.status == SettlementProposalStatus.ACCEPTED:
        _agreement(case, newest)
    elif newest.status == SettlementProposalStatus.OPEN and case.open:
        _standing(case, newest, now)
    earlier = [
        each for each in made if each.status != SettlementProposalStatus.ACCEPTED and each is not newest
    ]
    if newest.status not in (SettlementProposalStatus.ACCEPTED, SettlementProposalStatus.OPEN):
        earlier.insert(0, newest)
    if earlier:
        _earlier(case, earlier)


def _standing(case: CaseView, each: ProposalOfParty, now: datetime) -> None:
    header.section("Settlement proposal", f"by the {each.proposer_role.lower()}, {each.proposer}")
    _division(case, each)
    until = each.record.expires_at
    cards.note(
        f"Open until {deadlines.exact(until)} ({deadlines.words(until, now)}). "
        "If the other side accepts, the case is over."
    )
    _words(case, each)
    _letters(case, each)


def _agreement(case: CaseView, each: ProposalOfParty) -> None:
    record = each.record
    header.section("Agreement", f"closed by the parties {deadlines.exact(record.ended_at)}")
    status.row([status.pill("settlement_proposal", record.status)])
    if record.plan:
        plan_view.division(record.plan, people(case))
    other = next(party.name for party in case.parties if party.id != record.proposed_by)
    cards.facts(
        {
            "Proposed by": each.proposer,
            "Accepted by": other,
            "Proposed": each.made_at,
            "Plan": (record.plan_hash or "")[:12],
        },
        columns=2,
    )
    _words(case, each)
    _letters(case, each)
    documents.show(case)


def _division(case: CaseView, each: ProposalOfParty) -> None:
    money.split(
        [
            (f"{case.context.payee.name} would receive", each.release, "good"),
            (f"{case.context.payer.name} would get back", each.refund, "info"),
        ],
        caption="Before fees.",
    )


def _words(case: CaseView, each: ProposalOfParty) -> None:
    if each.record.note:
        lines = "\n".join(html(line) for line in redaction.redact(case, each.record.note).splitlines())
        st.html(f'<blockquote class="ed-quote">{lines}</blockquote>')


def _letters(case: CaseView, each: ProposalOfParty) -> None:
    """All that is written because of it; opened, because each is a page."""
    agreed = each.status == SettlementProposalStatus.ACCEPTED
    label = "E-mails of this agreement" if agreed else "E-mails sent on acceptance"
    if not st.toggle(label, key=f"settlement-letters-{each.record.id}"):
        return
    try:
        found = letter_list.of_settlement_proposal(each.record.id)
    except DeskError as problem:
        cards.note(f"It cannot be accepted as it stands: {problem.message}")
        return
    words = partial(redaction.redact, case)
    key = f"settlement-{each.record.id}"
    letter_list.show(found, people(case), key=key, words=words, what="this agreement")


def _earlier(case: CaseView, rows: list[ProposalOfParty]) -> None:
    st.caption("Earlier proposals")
    tables.small(
        rows,
        [
            tables.when("made_at", "Made"),
            tables.text("proposer", "By"),
            tables.money("release", "To the payee"),
            tables.money("refund", "To the payer"),
            tables.text(
                "status", "Ended", value=lambda row: status.pill("settlement_proposal", row.status).label
            ),
        ],
        name="Earlier proposals",
    )
