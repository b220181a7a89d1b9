"""What an endpoint is told: every kind of event, in words, with the shape of its data.

An event says which project it is about, and most of them which milestone, or which party; what else it says depends on
its kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,  # the description needs this one before Python 3.12
)

from pydantic import BaseModel, Field, create_model
from typing_extensions import TypeAliasType, TypedDict

from core.api.models.names import CurrencyCode, one_of
from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.policy import WithdrawalMethod
from core.rules.cases import CaseResolution, CaseStatus, DisputeReason
from core.rules.chargebacks import ChargebackStatus
from core.rules.documents import ReceiptKind
from core.rules.engagement import EngagementStatus
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.holds import HoldKind
from core.rules.messages import AuthorKind
from core.rules.milestones import Outcome as MilestoneOutcome
from core.rules.milestones import Status as MilestoneStatus
from core.rules.parties import PartyField
from core.rules.payee_accounts import BankDecision
from core.rules.payment_states import CauseKind
from core.rules.payment_states import State as PaymentState
from core.rules.payouts import PayoutStatus
from core.rules.projects import ProjectStatus
from core.rules.refunds import RefundStatus
from core.rules.reports import ReportOutcome
from core.rules.risk import ReviewOutcome
from core.rules.settlement_proposals import SettlementProposalStatus
from core.rules.webhooks import EventStatus


class OfProject(TypedDict):
    project: int
    bid_reference: str


class OfMilestone(OfProject):
    milestone: int
    position: int


class PaymentRequiresAction(OfMilestone):
    amount: MoneyAnswer
    off_session: bool
    confirm_by: Moment


class PaymentProcessing(OfMilestone):
    amount: MoneyAnswer


class PaymentFailed(OfMilestone):
    amount: MoneyAnswer
    code: str | None
    sentence: str | None
    next_retry_at: Moment | None


ProjectStatusChanged = TypedDict(
    "ProjectStatusChanged",
    {
        "project": int,
        "bid_reference": str,
        "from": ProjectStatus,
        "to": ProjectStatus,
        "completed_at": Moment | None,
    },
)
EngagementStatusChanged = TypedDict(
    "EngagementStatusChanged",
    {"project": int, "bid_reference": str, "from": EngagementStatus, "to": EngagementStatus},
)
MilestoneStatusChanged = TypedDict(
    "MilestoneStatusChanged",
    {
        "project": int,
        "bid_reference": str,
        "milestone": int,
        "position": int,
        "from": MilestoneStatus,
        "to": MilestoneStatus,
        "outcome": MilestoneOutcome | None,
    },
)


class CauseTold(TypedDict):
    """Why a payment changed its state, and the number of what caused it."""

    kind: CauseKind | None
    dispute: int | None
    settlement_proposal: int | None
    refund: int | None
    payout: int | None
    chargeback: int | None


class PlacesTold(TypedDict):
    funded: MoneyAnswer
    held: MoneyAnswer
    payable: MoneyAnswer
    refundable: MoneyAnswer
    released: MoneyAnswer
    refunded: MoneyAnswer


PaymentStateChanged = TypedDict(
    "PaymentStateChanged",
    {
        "project": int,
        "bid_reference": str,
        "milestone": int,
        "position": int,
        "from": PaymentState,
        "to": PaymentState,
        "cause": CauseTold,
        "at": Moment,
        "amounts": PlacesTold,
    },
)


class ReceiptIssued(OfMilestone):
    """A receipt, an invoice or a credit note; `refers_to` is the number of the receipt of the payment."""

    receipt: int
    number: str
    kind: ReceiptKind
    refers_to: str | None
    payer: str
    payee: str
    total: MoneyAnswer
    at: Moment


class DisputeStatusChanged(OfMilestone):
    dispute: int
    to: CaseStatus
    reason: DisputeReason
    resolution: CaseResolution | None
    waiting_on: str | None
    answer_due_at: Moment | None


class MessageSent(OfMilestone):
    message: int
    dispute: int | None
    author: AuthorKind
    party: str | None
    at: Moment


class SettlementProposalStatusChanged(OfMilestone):
    settlement_proposal: int
    dispute: int
    to: SettlementProposalStatus
    proposed_by: str
    release: MoneyAnswer
    refund: MoneyAnswer
    expires_at: Moment


class DecisionExecuted(OfMilestone):
    dispute: int
    outcome: DecisionOutcome
    release: MoneyAnswer
    refund: MoneyAnswer
    at: Moment


class RefundStatusChanged(OfMilestone):
    """`failure` says in a sentence why it failed, `failure_code` in the payment provider's word."""

    refund: int
    to: RefundStatus
    amount: MoneyAnswer
    ground: Ground
    failure: str | None
    failure_code: str | None


class PayoutStatusChanged(OfMilestone):
    """`failure` says in a sentence why it was not paid, `failure_code` in the payment provider's word."""

    payout: int
    to: PayoutStatus
    payee: str
    amount: MoneyAnswer
    fee: MoneyAnswer
    method: WithdrawalMethod
    arrival_at: Moment | None
    failure: str | None
    failure_code: str | None


class ChargebackStatusChanged(OfMilestone):
    chargeback: int
    to: ChargebackStatus
    reason: str
    amount: MoneyAnswer
    due_by: Moment | None
    closed_at: Moment | None


class HoldTold(OfMilestone):
    hold: int
    kind: HoldKind
    at: Moment


class HoldExtended(OfMilestone):
    hold: int
    kind: HoldKind
    expected_end: Moment


class RiskReviewTold(OfMilestone):
    risk_review: int
    outcome: ReviewOutcome | None
    at: Moment


class ReportSettled(OfProject):
    """`milestone` and `position` are there where the report was about one milestone."""

    milestone: NotRequired[int]
    position: NotRequired[int]
    report: int
    external_id: str | None
    outcome: ReportOutcome
    at: Moment


class PracticeTold(OfProject):
    practice_flag: int
    licensed_in: str
    needed_in: str
    at: Moment


class ReviewsTold(OfProject):
    due_at: Moment
    at: Moment


class RatingCalculated(OfProject):
    party: str
    tenths: int
    reviews: int
    at: Moment


class OfParty(TypedDict):
    party: str


class PayeeAccountTold(OfParty):
    """What is due has the payment provider's own names."""

    currently_due: list[str]
    past_due: list[str]
    due_at: Moment | None
    disabled_reason: str | None
    at: Moment


class BankChanged(OfParty):
    """`last4` is that of the new one."""

    currency: CurrencyCode
    last4: str
    held_until: Moment
    at: Moment


class BankDecided(OfParty):
    """What was decided about the new bank account, which ends in `last4`; `held_until` where payouts wait longer."""

    currency: CurrencyCode
    last4: str
    decision: BankDecision
    held_until: Moment | None
    at: Moment


class PayeeHoldTold(OfParty):
    hold: int
    kind: HoldKind
    placed_at: Moment
    expected_end: Moment | None
    lifted_at: Moment | None


class PartyChanged(OfParty):
    """What changed, and not to what."""

    field: PartyField
    at: Moment


class PartyErased(OfParty):
    """Whose names and words the desk has overwritten."""

    at: Moment


class PaymentMethodSaved(OfParty):
    setup: int
    at: Moment


class PaymentMethodRefused(OfParty):
    setup: int
    code: str | None
    sentence: str | None
    at: Moment


@dataclass(frozen=True)
class EventDescription:
    """One kind of event: what it says, and the shape of its data."""

    words: str
    data: type


class EndpointTested(TypedDict):
    endpoint: int
    at: Moment


KINDS: Mapping[str, EventDescription] = {
    "endpoint.tested": EventDescription("somebody asked for it, to see whether it arrives", EndpointTested),
    "project.status_changed": EventDescription("completed or canceled", ProjectStatusChanged),
    "engagement.status_changed": EventDescription(
        "active, which makes payments possible, or ended", EngagementStatusChanged
    ),
    "milestone.status_changed": EventDescription("each move, with the one before", MilestoneStatusChanged),
    "payment.state_changed": EventDescription(
        "each of the nine states, with the amounts", PaymentStateChanged
    ),
    "payment.requires_action": EventDescription(
        "the payer's bank wants them to confirm it, until a time; fetch the milestone for how",
        PaymentRequiresAction,
    ),
    "payment.processing": EventDescription(
        "a debit whose bank answers days later; nothing is held yet", PaymentProcessing
    ),
    "payment.failed": EventDescription(
        "a charge that was declined or not confirmed: why, and when it is tried again by itself",
        PaymentFailed,
    ),
    "receipt.issued": EventDescription(
        "a receipt of a payment, an invoice of a release or a credit note of a refund, with its number",
        ReceiptIssued,
    ),
    "dispute.status_changed": EventDescription(
        "opened, in mediation, waiting for a party, resolved, withdrawn", DisputeStatusChanged
    ),
    "message.sent": EventDescription("something was written to the parties; fetch it", MessageSent),
    "settlement_proposal.status_changed": EventDescription(
        "open, accepted, declined, withdrawn, replaced by another, expired", SettlementProposalStatusChanged
    ),
    "decision.executed": EventDescription(
        "what it releases to the payee and refunds to the payer", DecisionExecuted
    ),
    "refund.status_changed": EventDescription(
        "queued, pending, succeeded, failed, canceled", RefundStatusChanged
    ),
    "payout.status_changed": EventDescription(
        "from requested to paid, failed or in administrative review", PayoutStatusChanged
    ),
    "party.changed": EventDescription(
        "name, e-mail address, city, country, language or payment method is another one", PartyChanged
    ),
    "party.erased": EventDescription(
        "a person was erased here; erase your own copies of what the desk told you of them", PartyErased
    ),
    "payee.bank_changed": EventDescription(
        "payouts go to another bank account, and until when they wait", BankChanged
    ),
    "payee.bank_decided": EventDescription(
        "payouts go to the new bank account before their time, wait longer, or never go there", BankDecided
    ),
    "payment_method.saved": EventDescription(
        "a payer's payment method is saved, and later charges take it", PaymentMethodSaved
    ),
    "payment_method.refused": EventDescription(
        "a payer's bank refused to save it: why; they can try again", PaymentMethodRefused
    ),
    "payee.requirements_due": EventDescription(
        "the payment provider wants details of a payee, and by when", PayeeAccountTold
    ),
    "payee.payouts_enabled": EventDescription("a payee can be paid", PayeeAccountTold),
    "payee.payouts_disabled": EventDescription(
        "a payee cannot be paid any more, with the payment provider's reason", PayeeAccountTold
    ),
    "payee.hold_placed": EventDescription(
        "all money of a payee is held back, of whatever milestone, and the payee was told", PayeeHoldTold
    ),
    "payee.hold_extended": EventDescription("it is expected to end at another time", PayeeHoldTold),
    "payee.hold_lifted": EventDescription("and all of it goes on", PayeeHoldTold),
    "chargeback.status_changed": EventDescription(
        "as the bank says, with the due date", ChargebackStatusChanged
    ),
    "hold.placed": EventDescription("money is held back, and the payee was told", HoldTold),
    "hold.extended": EventDescription("it is expected to end at another time", HoldExtended),
    "hold.lifted": EventDescription("and goes on", HoldTold),
    "risk_review.opened": EventDescription("a person looks before money moves", RiskReviewTold),
    "risk_review.settled": EventDescription("cleared", RiskReviewTold),
    "report.settled": EventDescription("upheld or dismissed", ReportSettled),
    "practice.flagged": EventDescription("licensed in another state", PracticeTold),
    "practice.resolved": EventDescription("or arranged for", PracticeTold),
    "reviews.requested": EventDescription("both sides are asked", ReviewsTold),
    "reviews.opened": EventDescription("both are in, or the time is up", ReviewsTold),
    "rating.calculated": EventDescription("a party's final rating", RatingCalculated),
}
EventKind = TypeAliasType("EventKind", Annotated[str, one_of(KINDS)])


def body_of(kind: str) -> type[BaseModel]:
    """What is sent of this kind: of `milestone.status_changed` a MilestoneStatusChangedEvent."""
    fields: dict[str, Any] = {
        "id": (Annotated[str, Field(pattern=r"^evt_[0-9]+$")], ...),
        "kind": (Literal[kind], ...),
        "sequence": (Annotated[int, Field(ge=1)], ...),
        "created_at": (Moment, ...),
        "data": (KINDS[kind].data, ...),
    }
    return create_model(_name(kind), **fields)


def _logged(kind: str) -> type[BaseModel]:
    """One event of this kind as it is told, and how that went."""
    how: dict[str, Any] = {"status": (EventStatus, ...), "tries": (int, ...), "sent_at": (Moment | None, ...)}
    return create_model(f"Logged{_name(kind)}", __base__=BODIES[kind], **how)


def _name(kind: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[._]", kind)) + "Event"


BODIES: Mapping[str, type[BaseModel]] = {kind: body_of(kind) for kind in KINDS}
LOGGED: Mapping[str, type[BaseModel]] = {kind: _logged(kind) for kind in KINDS}
if TYPE_CHECKING:
    LoggedEvent = Mapping[str, Any]  # of the union below no type checker can read the members
else:
    LoggedEvent = TypeAliasType(
        "LoggedEvent", Annotated[reduce(or_, LOGGED.values()), Field(discriminator="kind")]
    )


class EventsAnswer(PageAnswer):
    """`data` has the shape of the event's kind, as the webhook of that kind has it."""

    items: list[LoggedEvent]


class DeliveryAnswer(TypedDict):
    """One try to tell an event. `body` is what was sent, to the letter. `answered` is the status that the endpoint
    answered, none where it gave none, and `answer` the first 2,048 bytes that came with it, as text."""

    id: int
    event: str
    kind: EventKind
    sequence: int
    at: Moment
    body: str
    answered: int | None
    answer: str | None
    error: str | None
    took_ms: int


class DeliveriesAnswer(PageAnswer):
    items: list[DeliveryAnswer]
