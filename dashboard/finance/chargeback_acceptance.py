"""Accepting a chargeback, on screen: one person proposes it, another does it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.chargebacks import chargeback_acceptance
from core.queries.chargebacks import Acceptance, ChargebackRow
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, second_person, text_fields
from dashboard.ui.safe import plain, words_of
from dashboard.ui.second_person import Answer

DONE = {"ACCEPTED": "done", "REJECTED": "rejected", "WITHDRAWN": "withdrawn", "RETURNED": "returned"}


def panel(row: ChargebackRow, proposals: Sequence[Acceptance]) -> None:
    """What was proposed, and what may be done now; nothing where accepting is not possible."""
    may = request_context.may(Permission.ANSWER_CHARGEBACK) and row.status == "needs_response"
    waiting = next((each for each in proposals if each.status == ProposalStatus.PROPOSED), None)
    accepted = any(each.status == ProposalStatus.ACCEPTED for each in proposals)
    if not proposals and not may:
        return
    header.section(
        "Accept the chargeback", "Permanent: the bank keeps the money at once, and no answer can follow."
    )
    for each in proposals:
        if each is not waiting:
            cards.note(
                f"Proposed by {each.proposed_by}, {DONE[each.status]} by {each.settled_by or 'the desk'} "
                f"on {deadlines.exact(each.settled_at)}.{f' {each.note}' if each.note else ''}"
            )
    if waiting is not None:
        _waiting(row, waiting, may=may)
    elif may and not accepted:
        _propose(row)


def _waiting(row: ChargebackRow, proposal: Acceptance, *, may: bool) -> None:
    with cards.panel(f"giving-in-{proposal.id}"):
        when = deadlines.exact(proposal.proposed_at)
        st.markdown(f"**{plain(proposal.proposed_by)} proposes to accept the chargeback** ({when})")
        st.text(words_of(proposal.reason))
        if not request_context.may(Permission.ANSWER_CHARGEBACK):
            return
        accept = None
        if (
            second_person.may_confirm(
                Permission.SETTLE_CHARGEBACK,
                lambda session: chargeback_acceptance.waiting_of(session, proposal.id),
            )
            and may
        ):
            typed = confirm.typed(row.reference, "accept it", key=f"type-acceptance-{proposal.id}")
            accept = Answer(
                f"Accept: {row.amount.text()}",
                lambda session, actor, now, reason: chargeback_acceptance.accept(
                    session, actor, now=now, acceptance_id=proposal.id, typed=typed, reason=reason
                ),
                done="Sent to the bank. The loss is booked when Stripe confirms it.",
                icon=":material/flag:",
            )
        second_person.answers(
            text_fields.named("chargeback", row.id, "acceptance"),
            f"acceptance-{proposal.id}",
            own=proposal.proposed_by_id == request_context.actor().id,
            yes=accept,
            no=Answer(
                "Reject proposal",
                lambda session, actor, now, reason: chargeback_acceptance.reject(
                    session, actor, now=now, acceptance_id=proposal.id, reason=reason
                ),
                done="The proposal has ended; the chargeback can be answered.",
            ),
        )


def _propose(row: ChargebackRow) -> None:
    with st.expander("Propose to accept the chargeback"):
        place = text_fields.named("chargeback", row.id, "give-in")
        reason = reasons.line(place, "Why it cannot be won", key="give-in-reason")
        intent = confirm.pressed("Submit for approval", key=f"give-in-{row.id}")
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, now: chargeback_acceptance.propose(
                    session, actor, now=now, chargeback_id=row.id, reason=reason
                ),
                done="Proposed. Someone else can do it, or answer the bank instead.",
                sent=[place],
            )
