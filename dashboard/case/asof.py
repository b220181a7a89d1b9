"""A decided case as its mediator could see it: what was there when the decision was made, and nothing later.

Whether one looks back stands in the address, so what one sees can be shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

import streamlit as st

from core.queries import evidence, mediators, people
from core.queries import names_hidden as sights
from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem
from core.records import PaymentOrder
from core.rules.cases import CaseStatus
from core.rules.milestones import Status
from core.rules.payment_states import State
from dashboard import request_context
from dashboard.case import redaction
from dashboard.case.redaction import copy
from dashboard.ui import deadlines

KEY = "as-of"


class Dated(Protocol):
    """Anything that happened at a time."""

    @property
    def at(self) -> datetime: ...


Each = TypeVar("Each", bound=Dated)


def chosen(case: CaseView) -> datetime | None:
    """The time of the decision that stands, when the reader wants to see the case as it was then."""
    asked = st.session_state.get(KEY, st.query_params.get(KEY) == "true")
    return case.decision.record.made_at if asked and case.decision is not None else None


def as_seen(case: CaseView, until: datetime) -> tuple[CaseView, list[EvidenceItem]]:
    """The case of then under the names, or the roles, that its mediator saw, and the evidence of then with what they
    had opened. The reader's own marks are not in it."""
    recorded = case.decision
    maker_id = recorded.record.maker_id if recorded else 0
    then = replace(back(case, until), tie=None)
    with request_context.reading() as session:
        rows = evidence.evidence(session, case.context.milestone.id, staff_id=maker_id, until=until)
        mediator_id = mediators.had_case(session, case.record, until)
        mediator = people.names(session, [mediator_id])[mediator_id] if mediator_id else None
        hidden = sights.hidden_then(session, case, maker_id, until)
    then = replace(then, mediator=mediator, record=copy(then.record, mediator_id=mediator_id))
    then = redaction.hide(then) if hidden and redaction.shown(then) else then
    return then, redaction.pieces(then, before(rows, until))


def toggle(case: CaseView) -> None:
    """There and back; and while one looks back, a banner says so."""
    if case.decision is None:
        return
    made_at = case.decision.record.made_at
    if st.toggle("View at time of decision", key=KEY, bind="query-params"):
        st.info(
            f"You see the case as {case.decision.maker} could see it {deadlines.exact(made_at)}: evidence, timeline, "
            "messages, e-mails, amounts and the parties' past up to then, with what they had opened, under the names "
            "or roles that they saw. The decision beside it is the plan at that time.",
            icon=":material/history:",
        )


def back(case: CaseView, until: datetime | None) -> CaseView:
    """The case at that instant: still in mediation, its money still held, nothing decided."""
    if until is None or case.decision is None:
        return case
    context, plan = case.context, case.decision.record.plan
    milestone = copy(
        context.milestone, status=Status.IN_MEDIATION, outcome=None, verified_at=None, ended_at=None
    )
    record = copy(
        case.record,
        status=CaseStatus.UNDER_REVIEW,
        resolution=None,
        resolution_notes=None,
        resolved_at=None,
        waiting_on=None,
        answer_due_at=None,
        escalated=case.record.escalated
        and case.record.decision_due_at is not None
        and case.record.decision_due_at <= until,
    )
    order = _order(context.order, plan["amounts"]["held"])
    return replace(
        case,
        record=record,
        passed=case.passed if case.passed and case.passed.at <= until else None,
        context=replace(context, milestone=milestone, order=order),
        holds=tuple(each for each in case.holds if each.placed_at <= until),
        blocks=(),
        decisions=tuple(each for each in case.decisions if each.record.made_at < until),
    )


def _order(order: PaymentOrder, held: int) -> PaymentOrder:
    """Before the decision all of it was held, but for what had already gone back."""
    gone = order.funded_minor - held
    return copy(
        order,
        state=State.PAID_HELD,
        held_minor=held,
        payable_minor=0,
        refundable_minor=0,
        released_minor=0,
        refunded_minor=gone,
        fee_kept_minor=0,
        chargeback_open=False,
    )


def before(things: Sequence[Each], until: datetime | None) -> list[Each]:
    """What was there already at that instant."""
    return [each for each in things if until is None or each.at <= until]
