"""A decision withdrawn by its maker, or voided by somebody else, before it is carried out; with a reason."""

from __future__ import annotations

import streamlit as st

from core.actions.decisions import confirmation, cooling_off_letters
from core.queries import cases
from core.queries.cases import CaseView
from core.queries.decisions import RecordedDecision
from core.rules.permissions import deciding
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons, text_fields

DRAWER = "recall"


def button(case: CaseView, recorded: RecordedDecision) -> None:
    """For whoever may decide the case, without a tie and not recused; its maker finds it as a draft again."""
    left = case.left_by(request_context.actor().id)
    decides = any(request_context.may(each) for each in deciding(escalated=case.record.escalated))
    if decides and not case.tie and not left and recorded.pending:
        st.button(
            _title(recorded),
            key="recall-open",
            icon=":material/undo:",
            type="tertiary",
            help="Before it is carried out. No money moves.",
            on_click=confirm.open_drawer,
            args=(DRAWER,),
        )


def drawer(case: CaseView) -> None:
    if case.decision is not None and case.decision.pending and confirm.drawer(DRAWER) is not None:
        drawn = st.dialog(_title(case.decision), position="right", on_dismiss=confirm.close_drawer)(_dialog)
        drawn(case.id, case.decision.record.id)


def _mine(recorded: RecordedDecision) -> bool:
    return recorded.record.maker_id == request_context.actor().id


def _title(recorded: RecordedDecision) -> str:
    """One withdraws one's own decision; somebody else's is voided."""
    return "Withdraw decision" if _mine(recorded) else "Void decision"


def _follows(recorded: RecordedDecision) -> str:
    """What has happened by now, who is told, and who gets it as a draft."""
    told = (
        " Both parties were told of the decision, and are told that it is not carried out."
        if cooling_off_letters.waits(recorded.record)
        else ""
    )
    if not recorded.again:
        back = f"{recorded.maker} may no longer decide it, so nobody gets it as a draft."
    elif _mine(recorded):
        back = "You get it back as a draft."
    else:
        back = f"{recorded.maker} gets it back as a draft, with your reason."
    return f"No money has moved.{told} {back}"


def _done(recorded: RecordedDecision) -> str:
    if not recorded.again:
        return "The decision is void."
    whose = "your" if _mine(recorded) else f"{recorded.maker}'s"
    return f"The decision is void, and {whose} draft again."


def _dialog(case_id: int, decision_id: int) -> None:
    """The case is read in here: a dialog that draws itself again is given what it was opened with."""
    if not confirm.step_up("recall-dialog"):
        return
    with request_context.reading() as session:
        case = cases.case(session, case_id, staff_id=request_context.actor().id)
    recorded = case.decision
    if recorded is None or recorded.record.id != decision_id or not recorded.pending:
        confirm.changed_meanwhile(
            "This decision no longer waits: it was carried out or voided in the meantime."
        )
        return
    cards.note(_follows(recorded))
    place = text_fields.named("case", recorded.record.case_id, "recall")
    reason = reasons.area(place, "Why", key="recall-reason")
    intent = confirm.pressed(_title(recorded), key="recall", money=True, icon=":material/undo:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: confirmation.withdraw(
                session, actor, now=now, decision_id=recorded.record.id, reason=reason
            ),
            done=_done(recorded),
            sent=[place],
        )
