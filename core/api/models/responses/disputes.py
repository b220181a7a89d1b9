"""A dispute: what is asked of whom, and how it was decided."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.rules.cases import CaseResolution, CaseStatus, DisputeReason
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.requests import RequestKind


class DecisionAnswer(TypedDict):
    """What goes to whom; how much of it has been paid out or refunded by now, the payment says.

    COOLING_OFF: it is announced and carried out at `execute_at`, unless it is voided before. `emails`: what was
    written about it to both parties, with the mediator's reasons.
    """

    status: Literal["COOLING_OFF", "EXECUTED"]
    outcome: DecisionOutcome
    ground: Ground
    release: MoneyAnswer
    refund: MoneyAnswer
    execute_at: Moment | None
    executed_at: Moment | None
    emails: list[int]


class RequestAnswer(TypedDict):
    """What staff asks of a party: words or a file (ANSWER), or a file (DOCUMENT)."""

    party: str
    kind: RequestKind
    question: str
    asked_at: Moment
    due_at: Moment


class DisputeAnswer(TypedDict):
    id: int
    milestone: int
    status: CaseStatus
    escalated: bool
    reason: DisputeReason
    details: str
    opened_at: Moment
    mediation_due_at: Moment | None
    in_mediation_at: Moment | None
    decision_due_at: Moment | None
    waiting_on: str | None
    answer_due_at: Moment | None
    request: RequestAnswer | None
    resolved_at: Moment | None
    resolution: CaseResolution | None
    decision: DecisionAnswer | None


class DisputesAnswer(PageAnswer):
    items: list[DisputeAnswer]
