"""A decision that waits for a second person: the plan, what changed since, and the two answers."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.actions.decisions import confirmation
from core.queries import cases, evidence
from core.queries.cases import CaseView
from core.queries.decisions import RecordedDecision
from core.records import Decision
from core.rules.approvals import DecisionStatus
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.case.decision import changes, changes_since_opened, plan_view, withdraw_decision
from dashboard.case.decision import decision_view as decided
from dashboard.case.decision.preview import people
from dashboard.ui import cards, confirm, deadlines, errors, header, reasons, status, text_fields
from dashboard.ui.header import Notice

STOPPED = "Approved but not carried out yet: something blocks it. The case shows what."
DONE: Mapping[DecisionStatus, str | Notice] = {
    DecisionStatus.EXECUTED: "Approved and posted. Sending to Stripe.",
    DecisionStatus.COOLING_OFF: "Approved. It is carried out when the cooling-off is over, unless the case changes.",
    DecisionStatus.VOIDED: Notice(
        "Not approved: the decision no longer stood, and is now void. The case says why.", good=False
    ),
}


def show(case: CaseView, recorded: RecordedDecision) -> None:
    record = recorded.record
    header.section("Decision", f"made {deadlines.exact(record.made_at)}")
    status.row([status.pill("outcome", record.outcome), status.pill("decision", record.status)])
    plan_view.division(record.plan, people(case))
    errors.reasons(
        [each["sentence"] for each in record.approval_reasons], title="A second person must approve"
    )
    decided.facts(recorded)
    changes.show(case, recorded)
    why_not = _why_not(case, recorded)
    if why_not:
        cards.note(why_not)
    st.button(
        "Open plan" if why_not else "Review plan",
        key="review",
        type="secondary" if why_not else "primary",
        icon=":material/fact_check:",
        width="stretch",
        on_click=confirm.open_drawer,
        args=("decided" if why_not else "approve",),
    )
    if why_not:  # the second person returns it to its maker, in the review
        withdraw_decision.button(case, recorded)


def _why_not(case: CaseView, recorded: RecordedDecision) -> str | None:
    """Why the reader is not the second person, if so."""
    if not request_context.may(Permission.APPROVE_DECISION):
        return "A mediator, finance or an administrator approves."
    if recorded.record.maker_id == request_context.actor().id:
        return "You made this decision, so someone else must approve it."
    if case.tie:
        return "You have a tie to a party of this case, so someone else must approve it."
    if case.left_by(request_context.actor().id):
        return "You recused yourself from this case, so someone else must approve it."
    return None


def drawer(case: CaseView) -> None:
    if case.decision is not None and confirm.drawer("approve") is not None:
        _dialog(case.id, case.decision.record.id)


@st.dialog("Approve this plan?", width="large", icon=":material/fact_check:", on_dismiss=confirm.close_drawer)
def _dialog(case_id: int, decision_id: int) -> None:
    """The case is read in here: a dialog that draws itself again is given what it was opened with."""
    if not confirm.step_up("approval-dialog"):
        return
    with request_context.reading() as session:
        case = cases.case(session, case_id, staff_id=request_context.actor().id)
    recorded = case.decision
    if (
        recorded is None
        or recorded.record.id != decision_id
        or recorded.record.status != DecisionStatus.AWAITING_APPROVAL
    ):
        confirm.changed_meanwhile("This decision does not wait for a second person any more.")
        return
    record = recorded.record
    with request_context.reading() as session:
        said = evidence.messages(session, record.milestone_id, since=record.made_at)
    plan_view.show(
        record.plan,
        record.plan_hash,
        key="approve",
        people=people(case),
        letters=decided.letters(case, recorded),
    )
    errors.reasons(case.blocks, title="Approved or not, it is not carried out while this stands")
    changes.show(case, recorded)
    read = changes_since_opened.show(case, f"approval-{decision_id}", said, beside="the decision was made")
    place = text_fields.named("case", case.id, "approval")
    note = reasons.area(place, "Note", key="approval-note", help="Needed to send it back.")
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
        back = confirm.pressed(
            "Return to mediator", key="send-back", type="secondary", money=True, icon=":material/undo:"
        )
        with confirm.kept_if_cut_short(back):
            go = confirm.pressed("Approve", key="approve", money=True, icon=":material/check:")
    if back:
        confirm.carry_out(
            back,
            lambda session, actor, now: confirmation.send_back(
                session, actor, now=now, decision_id=record.id, note=note
            ),
            done=lambda decision: _sent_back(decision, recorded),
            sent=[place],
        )
    if go:
        confirm.carry_out(
            go,
            lambda session, actor, now: confirmation.approve(
                session,
                actor,
                now=now,
                decision_id=record.id,
                plan_hash=record.plan_hash,
                note=note,
                seen=read,
            ),
            done=_approved,
            sent=[place],
        )


def _sent_back(decision: Decision, recorded: RecordedDecision) -> str:
    if decision.status == DecisionStatus.RETURNED:
        return f"Returned to {recorded.maker}."
    return (
        f"The decision is void. {recorded.maker} may no longer decide the case, so a colleague decides again."
    )


def _approved(decision: Decision) -> str | Notice:
    cooled = decision.execute_at is not None and decision.execute_at == decision.checked_at
    if decision.status == DecisionStatus.COOLING_OFF and cooled:
        return STOPPED
    return DONE[DecisionStatus(decision.status)]
