"""A milestone with its deadlines, its money, and what holds it back."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.names import AcceptanceRuleName, WaitCode
from core.api.models.responses.payments import PaymentAnswer
from core.api.models.responses.payouts import PayoutAnswer
from core.api.models.responses.plain import Day, Moment, MoneyAnswer, PageAnswer
from core.api.models.responses.refunds import RefundAnswer
from core.api.models.responses.risk import HoldAnswer
from core.rules.milestones import Outcome as MilestoneOutcome
from core.rules.milestones import Status as MilestoneStatus


class WaitsFor(TypedDict):
    """Something that holds a release or payout back: a code for the program, a sentence for people."""

    code: WaitCode
    sentence: str


class MilestoneAnswer(TypedDict):
    """`release_waits_for`: what holds back money that is due to be released or paid; empty when nothing does.

    `dispute`: the latest. `holds`: those in place that somebody was told of. `payouts` and `refunds`: all of this
    milestone, a few; those of many milestones are in their own lists.
    """

    id: int
    project: int
    position: int
    title: str
    deliverable: str
    amount: MoneyAnswer
    acceptance_rule: AcceptanceRuleName
    target_date: Day | None
    status: MilestoneStatus
    outcome: MilestoneOutcome | None
    funded_at: Moment | None
    completion_notice_at: Moment | None
    dispute_until: Moment | None
    auto_approve_at: Moment | None
    answer_due_at: Moment | None
    next_reminder_at: Moment | None
    verified_at: Moment | None
    ended_at: Moment | None
    payment: PaymentAnswer
    payouts: list[PayoutAnswer]
    refunds: list[RefundAnswer]
    holds: list[HoldAnswer]
    release_waits_for: list[WaitsFor]
    dispute: int | None


class MilestonesAnswer(PageAnswer):
    items: list[MilestoneAnswer]
