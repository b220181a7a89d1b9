"""What is read back, field by field: the shapes of the API's answers, as its description shows them.

Times are ISO 8601 in UTC, money whole minor units with its currency.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

Moment = str | None


class MoneyAnswer(TypedDict):
    minor: int
    currency: str


class RatingAnswer(TypedDict):
    """`tenths` of a star, from so many reviews that are open by now: 43 is 4.3 of 5."""

    tenths: int
    reviews: int
    at: Moment


class PartyAnswer(TypedDict):
    external_id: str
    role: str
    city: str
    country: str
    withdrawal_method: str
    known_to_provider: bool
    rating: RatingAnswer | None


class PreferencesAnswer(TypedDict):
    """`mutable`: what may be muted at all."""

    party: str
    frequency: str
    muted: list[str]
    mutable: list[str]
    changed_at: Moment


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


class WaitsFor(TypedDict):
    """Something that holds a release or payout back: a code for the program, a sentence for people."""

    code: str
    sentence: str


class MilestoneAnswer(TypedDict):
    """`release_waits_for`: what holds back money that is due to be released or paid; empty when nothing does."""

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
    answer_due_at: Moment
    verified_at: Moment
    ended_at: Moment
    payment: PaymentAnswer
    release_waits_for: list[WaitsFor]
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
    funding: str
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
    """What goes to whom; how much of it has been paid out or refunded by now, the payment says."""

    outcome: str
    release: MoneyAnswer
    refund: MoneyAnswer
    executed_at: Moment


class RequestAnswer(TypedDict):
    """What staff asks of a party: words or a file (ANSWER), or a file (DOCUMENT)."""

    party: str
    kind: str
    question: str
    asked_at: Moment
    due_at: Moment


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
    request: RequestAnswer | None
    resolved_at: Moment
    resolution: str | None
    decision: DecisionAnswer | None


class EvidenceAnswer(TypedDict):
    id: int
    milestone: int
    dispute: int | None
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


class SaidAnswer(MessageAnswer):
    """`author`: party, staff or system; `party` names which one."""

    author: str
    party: str | None
    body: str


class MessagesAnswer(TypedDict):
    """Oldest first; `more`: ask again after the last one's id."""

    messages: list[SaidAnswer]
    more: bool


class ReportAnswer(TypedDict):
    """`outcome`: UPHELD or DISMISSED, once staff has looked into it. `about`: the party it is about, if known."""

    id: int
    project: int
    milestone: int | None
    external_id: str | None
    kind: str
    source: str
    severity: str
    party: str | None
    about: str | None
    at: Moment
    outcome: str | None
    settled_at: Moment


class PracticeAnswer(TypedDict):
    id: int
    project: int
    licensed_in: str
    needed_in: str
    at: Moment
    resolved_at: Moment


class ReviewAnswer(TypedDict):
    """`stars` and `body` are empty until the reviews are opened."""

    author: str
    about: str
    at: Moment
    stars: int | None
    body: str | None


class FinalRatingAnswer(RatingAnswer):
    party: str


class ReviewsAnswer(TypedDict):
    """Opened when both are in, or at `due_at`."""

    project: int
    asked_at: Moment
    due_at: Moment
    opened_at: Moment
    reviews: list[ReviewAnswer]
    ratings: list[FinalRatingAnswer]


class OfferAnswer(TypedDict):
    id: int
    dispute: int
    proposed_by: str
    release: MoneyAnswer
    refund: MoneyAnswer
    note: str
    status: str
    made_at: Moment
    expires_at: Moment
    ended_at: Moment


class OffersAnswer(TypedDict):
    """Newest first; at most one of them stands."""

    offers: list[OfferAnswer]


class PayoutAnswer(TypedDict):
    """`offered`: other methods that the payee may choose from, while a failed payout is in review."""

    id: int
    milestone: int
    payee: str
    amount: MoneyAnswer
    fee: MoneyAnswer
    method: str
    status: str
    failure: str | None
    offered: list[str]
    requested_at: Moment
    arrival_at: Moment
    paid_at: Moment


class EventAnswer(TypedDict):
    """One event as it is told, and how that went."""

    id: str
    kind: str
    sequence: int
    created_at: Moment
    data: dict[str, Any]
    status: str
    tries: int
    sent_at: Moment


class EventsAnswer(TypedDict):
    events: list[EventAnswer]
    more: bool


class EndpointAnswer(TypedDict):
    """`waiting`: events that are still to be told; `failed`: those that were given up."""

    id: int
    url: str
    last_sequence: int
    waiting: int
    failed: int


class EndpointsAnswer(TypedDict):
    endpoints: list[EndpointAnswer]


class ReplayAnswer(TypedDict):
    endpoint: int
    queued: int
