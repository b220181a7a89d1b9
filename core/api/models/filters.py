"""What may be asked of a list: how many, in which order, and which of them. A filter that nobody knows is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.api.models.requests import LARGEST_ID, NAME, ONE_LINE, TOKEN, Id
from core.rules.cases import CaseStatus
from core.rules.chargebacks import ChargebackStatus
from core.rules.documents import ReceiptKind
from core.rules.evidence import EvidenceKind
from core.rules.milestones import Status as MilestoneStatus
from core.rules.notifications import LetterStatus
from core.rules.parties import PartyRole
from core.rules.payment_states import State as PaymentState
from core.rules.payouts import PayoutStatus
from core.rules.projects import ProjectStatus
from core.rules.refunds import RefundStatus
from core.rules.reports import ReportKind
from core.rules.settlement_proposals import SettlementProposalStatus
from core.rules.templates import ProjectType

Name = Annotated[str, Field(min_length=1, max_length=NAME, pattern=ONE_LINE)]
ById = Literal["id", "-id"]


def _any_of(what: str) -> Any:
    return Field(
        default_factory=list, max_length=20, description=f"Only of this {what}; several may be given."
    )


class Listed(BaseModel):
    """Every list: how many on a page, where it begins, and in which order (`-` for the last first)."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100, description="At most so many on a page.")] = 50
    cursor: (
        Annotated[
            str,
            Field(
                max_length=400,
                pattern=TOKEN,
                description="`next` of the page before, with the same filters and order.",
            ),
        ]
        | None
    ) = None
    sort: Any = "-id"


class Projects(Listed):
    sort: Literal["id", "-id", "created_at", "-created_at"] = "-id"
    bid_reference: Name | None = None
    status: list[ProjectStatus] = _any_of("status")
    project_type: list[ProjectType] = _any_of("type")
    payer: Name | None = None
    payee: Name | None = None


class OfMilestones(Listed):
    """Whatever belongs to a milestone can be asked for by it, by its project, and by either party of that."""

    project: Id | None = None
    milestone: Id | None = None
    party: Name | None = Field(default=None, description="Payer or payee of the project.")


class Milestones(Listed):
    sort: Literal[
        "id",
        "-id",
        "dispute_until",
        "-dispute_until",
        "auto_approve_at",
        "-auto_approve_at",
        "answer_due_at",
        "-answer_due_at",
    ] = "-id"
    project: Id | None = None
    party: Name | None = Field(default=None, description="Payer or payee of the project.")
    status: list[MilestoneStatus] = _any_of("status")
    payment_state: list[PaymentState] = _any_of("state of its payment")


class Disputes(OfMilestones):
    sort: Literal["id", "-id", "opened_at", "-opened_at"] = "-id"
    status: list[CaseStatus] = _any_of("status")


class Payments(OfMilestones):
    sort: Literal["milestone", "-milestone", "funded_at", "-funded_at"] = "-milestone"
    state: list[PaymentState] = _any_of("state")


class Payouts(OfMilestones):
    sort: Literal["id", "-id", "requested_at", "-requested_at"] = "-id"
    status: list[PayoutStatus] = _any_of("status")


class Refunds(OfMilestones):
    sort: Literal["id", "-id", "created_at", "-created_at"] = "-id"
    status: list[RefundStatus] = _any_of("status")


class Receipts(OfMilestones):
    sort: Literal["id", "-id"] = "-id"
    kind: list[ReceiptKind] = _any_of("kind")


class Evidences(OfMilestones):
    sort: Literal["id", "-id"] = "-id"
    dispute: Id | None = None
    kind: list[EvidenceKind] = _any_of("kind")


class Chargebacks(OfMilestones):
    sort: Literal["id", "-id", "due_by", "-due_by"] = "-id"
    status: list[ChargebackStatus] = _any_of("status")


class RiskReviews(OfMilestones):
    sort: Literal["id", "-id"] = "-id"
    open: bool | None = None


class Holds(OfMilestones):
    sort: Literal["id", "-id"] = "-id"
    active: bool | None = None


class PayeeHolds(Listed):
    sort: Literal["id", "-id"] = "-id"
    party: Name | None = None
    active: bool | None = None


class Debts(Listed):
    sort: Literal["payee", "-payee"] = "-payee"
    party: Name | None = None


class Reports(Listed):
    sort: Literal["id", "-id"] = "-id"
    project: Id | None = None
    kind: list[ReportKind] = _any_of("kind")
    open: bool | None = None


class Parties(Listed):
    sort: Literal["id", "-id"] = "-id"
    external_id: Name | None = None
    role: PartyRole | None = None


class Emails(Listed):
    sort: Literal["id", "-id"] = "-id"
    party: Name | None = None
    project: Id | None = None
    milestone: Id | None = None
    dispute: Id | None = None
    status: list[LetterStatus] = _any_of("status")


class Messages(Listed):
    sort: Literal["id", "-id"] = "id"
    after: Annotated[int, Field(ge=0, le=LARGEST_ID, description="Only what comes after this number.")] = 0


class SettlementProposals(Listed):
    sort: Literal["id", "-id"] = "-id"
    status: list[SettlementProposalStatus] = _any_of("status")


class Events(Listed):
    sort: Literal["sequence", "-sequence"] = "sequence"
    endpoint: Annotated[int, Field(ge=1, le=LARGEST_ID, description="The desk's id of the endpoint.")]
    after: Annotated[int, Field(ge=0, le=LARGEST_ID, description="Only what comes after this number.")] = 0


class Endpoints(Listed):
    sort: Literal["id", "-id"] = "-id"


class Deliveries(Listed):
    sort: Literal["id", "-id"] = "-id"
