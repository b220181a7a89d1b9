"""A break on a payee's side: the entry that the memorandum book lacks, or why nothing is booked from here."""

from __future__ import annotations

import streamlit as st

from core.actions.periods import payee_entries
from core.errors import DeskError
from core.queries import manual_journals as queries
from core.queries.breaks import BreakRow
from core.rules.breaks import BreakView
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from dashboard import navigation, request_context
from dashboard.finance import manual_journals
from dashboard.ui import cards, confirm, header, reasons, text_fields

WHOSE = "It is the payee's own money: only the memorandum book changes, and no account of ours."


def show(row: BreakRow) -> None:
    """What explains it already, or could."""
    with request_context.reading() as session:
        found = queries.of_break(session, row.id)
    if found is not None and found.status == ProposalStatus.PROPOSED:
        header.section("Proposed entry", WHOSE)
        manual_journals.proposal(found)
        return
    if found is not None:
        header.section("Booked")
        navigation.link(
            "manual_journals", f"{found.reference} · {found.memo}", icon=":material/edit_note:", id=found.id
        )
    if row.state != BreakView.CLOSED:  # also where it was booked and is open again
        _propose(row)


def _propose(row: BreakRow) -> None:
    header.section("Proposed entry", WHOSE)
    try:
        with request_context.reading() as session:
            lines, memo = payee_entries.of_break(session, row.id)
    except DeskError as refusal:
        cards.note(refusal.message)
        return
    with cards.panel("break-payee-entry"):
        st.text(memo)
        manual_journals.drawn(lines, name="Proposed entry")
        if not request_context.may(Permission.PROPOSE_JOURNAL):
            cards.note("Someone of finance proposes it; another approves it.")
            return
        place = text_fields.named("break", row.id, "payee-entry")
        reason = reasons.line(place, key=f"break-{row.id}-payee-reason")
        if intent := confirm.pressed("Submit for approval", key=f"break-{row.id}-payee-entry"):
            confirm.carry_out(
                intent,
                lambda session, actor, now: payee_entries.propose(
                    session, actor, now=now, break_id=row.id, reason=reason
                ),
                done="Submitted. The memorandum book has it, and the break closes, when someone else approves it.",
                sent=[place],
            )
