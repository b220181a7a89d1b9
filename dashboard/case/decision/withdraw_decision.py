"""Taking a decision back before it is carried out: on purpose, with a reason."""

from __future__ import annotations

import streamlit as st

from core.actions.decisions import confirmation
from core.queries import cases
from core.queries.cases import CaseView
from core.queries.decisions import Ruling
from core.rules.permissions import deciding
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons, text_fields

DRAWER = "recall"


def button(case: CaseView, ruling: Ruling) -> None:
    """For whoever may decide the case, without a tie and not recused; its maker finds it as a draft again."""
    left = case.left_by(request_context.actor().id)
    decides = any(request_context.may(each) for each in deciding(escalated=case.record.escalated))
    if decides and not case.tie and not left and ruling.pending:
        st.button(
            "Withdraw decision",
            key="recall-open",
            icon=":material/undo:",
            type="tertiary",
            help="Withdraw this decision before it is carried out.",
            on_click=confirm.open_drawer,
            args=(DRAWER,),
        )


def drawer(case: CaseView) -> None:
    if case.ruling is not None and case.ruling.pending and confirm.drawer(DRAWER) is not None:
        _dialog(case.id, case.ruling.record.id)


@st.dialog("Withdraw the decision", position="right", on_dismiss=confirm.close_drawer)
def _dialog(case_id: int, decision_id: int) -> None:
    """The case is read in here: a dialog that draws itself again is given what it was opened with."""
    if not confirm.step_up("recall-dialog"):
        return
    with request_context.reading() as session:
        case = cases.case(session, case_id, staff_id=request_context.actor().id)
    ruling = case.ruling
    if ruling is None or ruling.record.id != decision_id or not ruling.pending:
        confirm.overtaken(
            "This decision can no longer be withdrawn: it was carried out or voided in the meantime."
        )
        return
    left = not ruling.again
    if left:
        cards.note(
            f"Nothing was booked or sent yet. {ruling.maker} may no longer decide it, so nobody gets it as a draft."
        )
    else:
        cards.note(
            f"Nothing was booked or sent yet. {ruling.maker} gets the decision back as a draft, with your reason."
        )
    place = text_fields.named("case", ruling.record.case_id, "recall")
    reason = reasons.area(place, "Why", key="recall-reason")
    intent = confirm.pressed("Withdraw the decision", key="recall", money=True, icon=":material/undo:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: confirmation.withdraw(
                session, actor, now=now, decision_id=ruling.record.id, reason=reason
            ),
            done="The decision is void."
            if left
            else f"The decision is void, and {ruling.maker}'s draft again.",
            sent=[place],
        )
