"""What is read back, field by field: the shapes of the API's answers, as its description shows them.

Times are ISO 8601 in UTC, money whole minor units with its currency. What is one of several names is the enum of the
rules that decide it, so that a name which is added there is in the description at once.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.actions.milestones.engagement import Part as EngagementPart
from core.api.models.names import (
    AcceptanceRuleName,
    CurrencyCode,
    MissingCode,
    MutableLetter,
    WaitCode,
)
from core.policy import WithdrawalMethod
from core.rules.cases import CaseResolution, CaseStatus, DisputeReason
from core.rules.engagement import EngagementStatus
from core.rules.evidence import Kind as EvidenceKind
from core.rules.grounds import DecisionOutcome
from core.rules.messages import AuthorKind
from core.rules.milestones import Outcome as MilestoneOutcome
from core.rules.milestones import Status as MilestoneStatus
from core.rules.notifications import Frequency
from core.rules.offers import OfferStatus
from core.rules.parties import PartyRole
from core.rules.payee_accounts import Transfers
from core.rules.payment_states import State as PaymentState
from core.rules.payouts import PayoutStatus
from core.rules.projects import Funding, ProjectStatus
from core.rules.reports import ReportKind, ReportOutcome
from core.rules.reports import Severity as ReportSeverity
from core.rules.reports import Source as ReportSource
from core.rules.requests import RequestKind
from core.rules.schedule import FeeMode
from core.rules.templates import ProjectType

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class MoneyAnswer(TypedDict):
    minor: int
    currency: CurrencyCode


class RatingAnswer(TypedDict):
    """`tenths` of a star, from so many reviews that are open by now: 43 is 4.3 of 5."""

    tenths: int
    reviews: int
    at: Moment


class BankAnswer(TypedDict):
    """Where payouts in this currency go; one that a payout came back from, or that is gone, is not usable."""

    currency: CurrencyCode
    last4: str
    usable: bool


class AccountAnswer(TypedDict):
    """A payee's account as the payment provider described it at `as_of`. What is due has the provider's own names, and
    so has `disabled_reason`; `reason` is for people."""

    can_be_paid: bool
    transfers: Transfers
    payouts_enabled: bool
    details_submitted: bool
    currently_due: list[str]
    past_due: list[str]
    pending_verification: list[str]
    due_at: Moment | None
    disabled_reason: str | None
    reason: str | None
    banks: list[BankAnswer]
    as_of: Moment


class AccountLinkAnswer(TypedDict):
    """Send the payee there at once: it is good for one visit, until it expires."""

    url: str
    expires_at: Moment


class PartyAnswer(TypedDict):
    """`account`: a payee's, once it was read at the payment provider."""

    external_id: str
    role: PartyRole
    city: str
    country: str
    withdrawal_method: WithdrawalMethod
    known_to_provider: bool
    account: AccountAnswer | None
    rating: RatingAnswer | None


class PreferencesAnswer(TypedDict):
    """`mutable`: what may be muted at all."""

    party: str
    frequency: Frequency
    muted: list[MutableLetter]
    mutable: list[MutableLetter]
    changed_at: Moment | None


class PaymentAnswer(TypedDict):
    state: PaymentState
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


class PayoutAnswer(TypedDict):
    """`offered`: other methods that the payee may choose from, while a failed payout is in review."""

    id: int
    milestone: int
    payee: str
    amount: MoneyAnswer
    fee: MoneyAnswer
    method: WithdrawalMethod
    status: PayoutStatus
    failure: str | None
    offered: list[WithdrawalMethod]
    requested_at: Moment
    arrival_at: Moment | None
    paid_at: Moment | None


class WaitsFor(TypedDict):
    """Something that holds a release or payout back: a code for the program, a sentence for people."""

    code: WaitCode
    sentence: str


class MilestoneAnswer(TypedDict):
    """`release_waits_for`: what holds back money that is due to be released or paid; empty when nothing does."""

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
    verified_at: Moment | None
    ended_at: Moment | None
    payment: PaymentAnswer
    release_waits_for: list[WaitsFor]
    dispute: int | None


class Missing(TypedDict):
    """A part that is not confirmed yet: a code for the program, a sentence for people."""

    code: MissingCode
    sentence: str


class EngagementAnswer(TypedDict):
    status: EngagementStatus
    confirmed: list[EngagementPart]
    missing: list[Missing]


class ProjectAnswer(TypedDict):
    id: int
    bid_reference: str
    title: str
    scope: str
    project_type: ProjectType
    fee_mode: FeeMode
    funding: Funding
    status: ProjectStatus
    payer: str
    payee: str
    total: MoneyAnswer
    engagement: EngagementAnswer
    milestones: list[MilestoneAnswer]


class InstalmentAnswer(TypedDict):
    milestone: int
    position: int
    title: str
    status: MilestoneStatus
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

    outcome: DecisionOutcome
    release: MoneyAnswer
    refund: MoneyAnswer
    executed_at: Moment | None


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


class EvidenceAnswer(TypedDict):
    id: int
    milestone: int
    dispute: int | None
    kind: EvidenceKind
    file_name: str
    media_type: str
    size_bytes: int
    sha256: Sha256
    at: Moment


class MessageAnswer(TypedDict):
    id: int
    milestone: int
    dispute: int | None
    at: Moment


class SaidAnswer(MessageAnswer):
    """`author`: party, staff or system; `party` names which one."""

    author: AuthorKind
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
    kind: ReportKind
    source: ReportSource
    severity: ReportSeverity
    party: str | None
    about: str | None
    at: Moment
    outcome: ReportOutcome | None
    settled_at: Moment | None


class PracticeAnswer(TypedDict):
    id: int
    project: int
    licensed_in: str
    needed_in: str
    at: Moment
    resolved_at: Moment | None


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
    opened_at: Moment | None
    reviews: list[ReviewAnswer]
    ratings: list[FinalRatingAnswer]


class OfferAnswer(TypedDict):
    id: int
    dispute: int
    proposed_by: str
    release: MoneyAnswer
    refund: MoneyAnswer
    note: str
    status: OfferStatus
    made_at: Moment
    expires_at: Moment
    ended_at: Moment | None


class OffersAnswer(TypedDict):
    """Newest first; at most one of them stands."""

    offers: list[OfferAnswer]


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
