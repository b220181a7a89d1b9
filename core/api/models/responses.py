"""What is read back, field by field: the shapes of the API's answers, as its description shows them.

Times are ISO 8601 in UTC, money whole minor units with its currency. What is one of several names is the enum of the
rules that decide it, so that a name which is added there is in the description at once.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.actions.milestones.engagement import Part as EngagementPart
from core.api.models.names import (
    AcceptanceRuleName,
    CurrencyCode,
    EmailKind,
    MissingCode,
    MutableLetter,
    ToldHold,
    WaitCode,
)
from core.policy import Platform, WithdrawalMethod
from core.rules.cases import CaseResolution, CaseStatus, DisputeReason
from core.rules.chargebacks import ChargebackStatus
from core.rules.charges import ChargeStatus
from core.rules.engagement import EngagementStatus
from core.rules.evidence import Kind as EvidenceKind
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.languages import Language
from core.rules.messages import AuthorKind
from core.rules.milestones import Outcome as MilestoneOutcome
from core.rules.milestones import Status as MilestoneStatus
from core.rules.notifications import Frequency, LetterStatus
from core.rules.offers import OfferStatus
from core.rules.parties import PartyRole
from core.rules.payee_accounts import Transfers
from core.rules.payment_method_setups import SetupStatus
from core.rules.payment_states import State as PaymentState
from core.rules.payouts import PayoutStatus
from core.rules.projects import Funding, ProjectStatus
from core.rules.receipts import ReceiptKind
from core.rules.refunds import RefundStatus
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


class ProjectTypeAnswer(TypedDict):
    """A type that is offered, and how its milestones are accepted unless the payer says otherwise."""

    project_type: ProjectType
    acceptance_rule: AcceptanceRuleName


class CurrencyAnswer(TypedDict):
    """`payable`: whether payments in it can be taken. Amounts are multiples of `step` minor units. The processing fee
    is its basis points of the whole charge, and this fixed part."""

    currency: CurrencyCode
    digits: int
    payable: bool
    step: int
    smallest_milestone: MoneyAnswer
    largest_milestone: MoneyAnswer
    processing_fee_fixed: MoneyAnswer


class WithdrawalTariffAnswer(TypedDict):
    """A withdrawal costs `bps` hundredths of a percent of it, at least `minimum`, plus `fixed`."""

    method: WithdrawalMethod
    bps: int
    minimum: MoneyAnswer
    fixed: MoneyAnswer


class DeadlinesAnswer(TypedDict):
    """In seconds; null where there is no such time on this marketplace."""

    first_reminder_after: int | None
    reminder_every: int | None
    dispute_window: int | None
    auto_release_after: int | None
    session_grace: int | None
    mediation_after: int | None
    decision_within: int
    decision_cooling_off: int
    offer_stands: int
    reviews_hidden_for: int


class PlatformAnswer(TypedDict):
    """What is in force for this marketplace. Fees in hundredths of a percent, paid by the payer on top."""

    platform: Platform
    policy_version: int
    project_types: list[ProjectTypeAnswer]
    fee_modes: list[FeeMode]
    conflict_check: bool
    platform_fee_bps: int
    processing_fee_bps: int
    currencies: list[CurrencyAnswer]
    withdrawals: list[WithdrawalTariffAnswer]
    deadlines: DeadlinesAnswer


class RatingAnswer(TypedDict):
    """`tenths` of a star, from so many reviews that are open by now: 43 is 4.3 of 5."""

    tenths: int
    reviews: int
    at: Moment


class BankAnswer(TypedDict):
    """Where payouts in this currency go; one that a payout came back from, or that is gone, is not usable. After a
    change payouts wait until `payouts_wait_until`."""

    currency: CurrencyCode
    last4: str
    usable: bool
    payouts_wait_until: Moment | None


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


class PageAnswer(TypedDict):
    """One page of a list, in `items`. `next`: the cursor of the page that follows; null where there is none."""

    has_more: bool
    next: str | None


class PartyAnswer(TypedDict):
    """`account`: a payee's, once it was read at the payment provider."""

    external_id: str
    role: PartyRole
    city: str
    country: str
    language: Language
    withdrawal_method: WithdrawalMethod
    known_to_provider: bool
    account: AccountAnswer | None
    rating: RatingAnswer | None


class PartiesAnswer(PageAnswer):
    items: list[PartyAnswer]


class PreferencesAnswer(TypedDict):
    """`mutable`: what may be muted at all."""

    party: str
    frequency: Frequency
    muted: list[MutableLetter]
    mutable: list[MutableLetter]
    changed_at: Moment | None


class ConfirmationAnswer(TypedDict):
    """What the payer confirms with their bank: at `url`, where the funding named a page to come back to, or in the
    marketplace's own page, with Stripe's library and `client_secret`. After `confirm_by` it is called off."""

    client_secret: str | None
    url: str | None
    confirm_by: Moment


class SetupDeclineAnswer(TypedDict):
    """`code` for the program, `sentence` for the payer."""

    code: str | None
    sentence: str


class DeclineAnswer(TypedDict):
    """Why the last charge failed: `code` for the program, `sentence` for the payer.

    `next_retry_at`: when the desk tries again by itself; null: it does not, and the payer pays again or another way.
    """

    code: str | None
    sentence: str
    next_retry_at: Moment | None


class SetupAnswer(TypedDict):
    """`client_secret` is answered once, where the saving begins. `decline`: why it was refused last."""

    id: int
    party: str
    status: SetupStatus
    client_secret: str | None
    decline: SetupDeclineAnswer | None


class PaymentAnswer(TypedDict):
    """`charge_status`: how the last charge stands with the payer's bank. While it is SENDING, REQUIRES_ACTION or
    PROCESSING nothing is held, and the milestone is not funded."""

    state: PaymentState
    charge_status: ChargeStatus | None
    confirmation: ConfirmationAnswer | None
    decline: DeclineAnswer | None
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


class PaymentOfMilestoneAnswer(PaymentAnswer):
    milestone: int
    project: int
    payer: str
    funded_at: Moment | None


class PaymentsAnswer(PageAnswer):
    items: list[PaymentOfMilestoneAnswer]


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


class PayoutsAnswer(PageAnswer):
    items: list[PayoutAnswer]


class RefundAnswer(TypedDict):
    """`of_milestone`: the part of the milestone's own amount in it; the rest are fees that are returned with it."""

    id: int
    milestone: int
    amount: MoneyAnswer
    of_milestone: MoneyAnswer
    ground: Ground
    status: RefundStatus
    failure: str | None
    created_at: Moment
    settled_at: Moment | None


class RefundsAnswer(PageAnswer):
    items: list[RefundAnswer]


class ReceiptLineAnswer(TypedDict):
    label: str
    amount: MoneyAnswer


class ReceiptAnswer(TypedDict):
    """A receipt (FUNDING), an invoice (RELEASE) or a credit note (REFUND). `scope_sha256`: of what was agreed then."""

    id: int
    number: str
    kind: ReceiptKind
    milestone: int
    payer: str
    payee: str
    lines: list[ReceiptLineAnswer]
    total: MoneyAnswer
    scope_sha256: Sha256
    at: Moment


class ReceiptsAnswer(PageAnswer):
    items: list[ReceiptAnswer]


class HoldAnswer(TypedDict):
    """A hold that somebody was told of. Why it is there, is for staff."""

    id: int
    milestone: int
    kind: ToldHold
    placed_at: Moment
    lifted_at: Moment | None


class HoldsAnswer(PageAnswer):
    items: list[HoldAnswer]


class ChargebackAnswer(TypedDict):
    """As the payer's bank says: its status and reason in the provider's words, and until when it takes an answer."""

    id: int
    milestone: int
    status: ChargebackStatus
    reason: str
    amount: MoneyAnswer
    opened_at: Moment
    due_by: Moment | None
    closed_at: Moment | None


class ChargebacksAnswer(PageAnswer):
    items: list[ChargebackAnswer]


class ManualReviewAnswer(TypedDict):
    """A person looks before money moves; `cleared_at`: and nothing of it stands in the way any more."""

    id: int
    milestone: int
    opened_at: Moment
    cleared_at: Moment | None


class ManualReviewsAnswer(PageAnswer):
    items: list[ManualReviewAnswer]


class WaitsFor(TypedDict):
    """Something that holds a release or payout back: a code for the program, a sentence for people."""

    code: WaitCode
    sentence: str


class MilestoneAnswer(TypedDict):
    """`release_waits_for`: what holds back money that is due to be released or paid; empty when nothing does.

    `dispute`: the latest. `holds`: those in place that somebody was told of.
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
    created_at: Moment
    completed_at: Moment | None
    engagement: EngagementAnswer
    milestones: list[MilestoneAnswer]


class ProjectsAnswer(PageAnswer):
    items: list[ProjectAnswer]


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


class EvidenceAnswer(TypedDict):
    id: int
    milestone: int
    dispute: int | None
    party: str
    kind: EvidenceKind
    file_name: str
    media_type: str
    size_bytes: int
    sha256: Sha256
    caption: str
    at: Moment


class EvidencesAnswer(PageAnswer):
    items: list[EvidenceAnswer]


class EmailAnswer(TypedDict):
    """An e-mail to a party. `kind` is the name by which it can be muted, where it can."""

    id: int
    party: str
    kind: EmailKind
    project: int
    milestone: int | None
    dispute: int | None
    subject: str
    urgent: bool
    status: LetterStatus
    written_at: Moment
    sent_at: Moment | None


class EmailsAnswer(PageAnswer):
    items: list[EmailAnswer]


class EmailTextAnswer(EmailAnswer):
    """With its words. `html` is for a reader of mail, and for no page of yours."""

    text: str
    html: str


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


class MessagesAnswer(PageAnswer):
    items: list[SaidAnswer]


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


class ReportsAnswer(PageAnswer):
    items: list[ReportAnswer]


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


class OffersAnswer(PageAnswer):
    items: list[OfferAnswer]


class EndpointAnswer(TypedDict):
    """`waiting`: events that are still to be told; `failed`: those that were given up."""

    id: int
    url: str
    last_sequence: int
    waiting: int
    failed: int


class EndpointsAnswer(TypedDict):
    endpoints: list[EndpointAnswer]


class EndpointSecretAnswer(TypedDict):
    """`signing_secret` signs the events from now on; where it replaced another, both do until `both_until`. It is in
    this answer and in no other."""

    id: int
    url: str
    signing_secret: str
    both_until: Moment | None


class TestEventAnswer(TypedDict):
    endpoint: int
    event: str


class RemovedAnswer(TypedDict):
    removed: int


class KeyAnswer(TypedDict):
    """Another key in place of the one that signed this request, which opens until `previous_until`. The key is in the
    first answer and in no other, also not when the request is sent again."""

    api_key: str | None
    signing_secret: str | None
    previous_until: Moment


class ReplayAnswer(TypedDict):
    endpoint: int
    queued: int


class DemoClockAnswer(TypedDict):
    """The time of a demo, how far it is ahead of the computer's, and where to it is being moved."""

    now: Moment
    ahead_seconds: int
    moving: bool
    until: Moment | None
    trouble: str | None
