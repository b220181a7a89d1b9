"""A posting that our bank does not have: the entry that reverses it, proposed by one person and approved by another."""

from __future__ import annotations

import streamlit as st

from core.actions.periods import journal_reversals
from core.errors import DeskError
from core.queries import manual_journals as queries
from core.queries.breaks import BreakRow
from core.rules.breaks import BreakClass, BreakView
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from core.rules.references import reference
from dashboard import navigation, request_context
from dashboard.finance import manual_journals
from dashboard.ui import cards, confirm, header, reasons, text_fields


def show(row: BreakRow, journal_id: int) -> None:
    """What reverses it already, or could."""
    with request_context.reading() as session:
        found = queries.reversal(session, journal_id)
    if found is not None and found.status == ProposalStatus.PROPOSED:
        header.section(
            "Proposed entry", "It reverses what was booked, and is posted when another approves it."
        )
        manual_journals.proposal(found)
    elif found is not None:
        header.section("Reversed")
        navigation.link(
            "manual_journals", f"{found.reference} · {found.memo}", icon=":material/undo:", id=found.id
        )
    elif row.state != BreakView.CLOSED and row.class_ != BreakClass.TIMING:
        _propose(row, journal_id)


def _propose(row: BreakRow, journal_id: int) -> None:
    header.section("Proposed entry", "For what the bank never had: the same lines, on the other side.")
    try:
        with request_context.reading() as session:
            lines, memo = journal_reversals.entry(session, journal_id)
    except DeskError as refusal:
        cards.note(refusal.message)
        return
    with cards.panel("break-reverse"):
        st.text(memo)
        manual_journals.drawn(lines, name="Proposed entry")
        if not request_context.may(Permission.PROPOSE_JOURNAL):
            cards.note("Someone of finance proposes it; another approves it.")
            return
        day = request_context.now().date()
        place = text_fields.named("break", row.id, "reverse")
        reason = reasons.line(place, key=f"break-{row.id}-reverse-reason")
        if intent := confirm.pressed("Submit for approval", key=f"break-{row.id}-reverse"):
            confirm.carry_out(
                intent,
                lambda session, actor, now: journal_reversals.propose_of(
                    session, actor, now=now, journal_id=journal_id, posted_on=day, reason=reason
                ),
                done=f"Submitted. {reference('journal', journal_id)} is reversed when someone else approves it.",
                sent=[place],
            )
