"""What is read back, field by field: the shapes of the door's answers, as its description shows them.

Times are ISO 8601 in UTC, money whole minor units with its currency.
"""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

Moment = str | None


class MoneyAnswer(TypedDict):
    minor: int
    currency: str


class PartyAnswer(TypedDict):
    external_id: str
    role: str
    city: str
    country: str
    withdrawal_method: str
    known_to_provider: bool


class PaymentAnswer(TypedDict):
    state: str
    charge: MoneyAnswer
    platform_fee: MoneyAnswer
    processing_fee: MoneyAnswer
    held: MoneyAnswer
    payable: MoneyAnswer
    refundable: MoneyAnswer
    released: MoneyAnswer
    refunded: MoneyAnswer
    in_flight: bool
    failure: str | None


class MilestoneAnswer(TypedDict):
    id: int
    project: int
    position: int
    title: str
    deliverable: str
    amount: MoneyAnswer
    acceptance_rule: str
    target_date: Moment
    status: str
    outcome: str | None
    funded_at: Moment
    completion_notice_at: Moment
    dispute_until: Moment
    auto_approve_at: Moment
    verified_at: Moment
    ended_at: Moment
    payment: PaymentAnswer
    dispute: int | None


class EngagementAnswer(TypedDict):
    status: str
    confirmed: list[str]
    missing: list[str]


class ProjectAnswer(TypedDict):
    id: int
    bid_reference: str
    title: str
    scope: str
    project_type: str
    fee_mode: str
    status: str
    payer: str
    payee: str
    total: MoneyAnswer
    engagement: EngagementAnswer
    milestones: list[MilestoneAnswer]


class InstalmentAnswer(TypedDict):
    milestone: int
    position: int
    title: str
    status: str
    amount: MoneyAnswer
    platform_fee: MoneyAnswer
    processing_fee: MoneyAnswer
    charge: MoneyAnswer
    charges_so_far: MoneyAnswer


class ScheduleAnswer(TypedDict):
    project: int
    instalments: list[InstalmentAnswer]
    total: MoneyAnswer


class DecisionAnswer(TypedDict):
    outcome: str
    released: MoneyAnswer
    refunded: MoneyAnswer
    executed_at: Moment


class DisputeAnswer(TypedDict):
    id: int
    milestone: int
    status: str
    escalated: bool
    reason: str
    details: str
    opened_at: Moment
    mediation_due_at: Moment
    in_mediation_at: Moment
    decision_due_at: Moment
    waiting_on: str | None
    answer_due_at: Moment
    resolved_at: Moment
    resolution: str | None
    decision: DecisionAnswer | None


class EvidenceAnswer(TypedDict):
    id: int
    milestone: int
    kind: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    at: Moment


class MessageAnswer(TypedDict):
    id: int
    milestone: int
    dispute: int | None
    at: Moment
