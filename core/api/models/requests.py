"""What may come in, field by field: strict JSON, money in whole minor units, bounded text without control marks.

Parties are named by the platform's own ids, projects and milestones by the desk's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from typing_extensions import TypeAliasType

from core.actions.milestones.engagement import Part
from core.api.models.names import AcceptanceRuleSchema
from core.money import CURRENCIES, MAX_MINOR, Money
from core.rules import languages, outside_words, web_addresses
from core.rules.languages import Language
from core.rules.notifications import Frequency
from core.rules.outside_words import WordsUnusable
from core.rules.parties import PartyRole
from core.rules.projects import Funding
from core.rules.reports import ReportKind, Severity
from core.rules.schedule import FeeMode
from core.rules.templates import ProjectType
from core.rules.visible_text import says_something, tidy

LARGEST_ID = 2**53 - 1
ONE_LINE = r"^[^\x00-\x1f\x7f\ufffd]+$"  # U+FFFD stands where an address is not UTF-8
MANY_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
MAYBE_LINE = r"^[^\x00-\x1f\x7f]*$"
MAYBE_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
COUNTRY = r"^[A-Z]{2}$"
CURRENCY = r"^[A-Z]{3}$"
STATE = r"^[A-Za-z][A-Za-z .'-]+$"
TOKEN = r"^[A-Za-z0-9_-]+$"
PRINTABLE = r"^[!-~]+$"
LETTER_KIND = r"^[a-z_]+$"
NAME = 200
EMAIL = r"^[^\x00-\x20\x7f@<>()\[\],;:\\\"]{1,64}@[^\x00-\x20\x7f@<>()\[\],;:\\\"]{1,190}$"


def _date(value: Any) -> Any:
    if value is None or isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("write a date as YYYY-MM-DD")
    return date.fromisoformat(value)


def _by(rule: Callable[..., str], **facts: str) -> AfterValidator:
    """What the desk's own rule for such words makes of them."""

    def kept(value: str) -> str:
        try:
            return rule(value, **facts)
        except WordsUnusable as refused:
            raise ValueError(refused.facts["why"]) from None

    return AfterValidator(kept)


def _visible(value: str) -> str:
    if not says_something(value):
        raise ValueError("nothing in it can be seen")
    return value


Visible = AfterValidator(_visible)
Line = Annotated[
    str, Field(min_length=1, max_length=NAME, pattern=ONE_LINE), _by(outside_words.line, field="line")
]
Exact = Annotated[
    str, Field(min_length=1, max_length=NAME, pattern=ONE_LINE), _by(outside_words.identifier, field="id")
]
Place = Annotated[
    str,
    Field(max_length=NAME, pattern=MAYBE_LINE),
    _by(outside_words.place, field="place"),
]
Country = Annotated[
    str,
    Field(
        pattern=COUNTRY,
        description="ISO 3166-1, two letters. US is assumed where a new party's is not given.",
    ),
    _by(outside_words.country),
]
Email = Annotated[str, Field(max_length=254, pattern=EMAIL), AfterValidator(tidy)]
Text = Annotated[str, Field(min_length=1, max_length=10_000, pattern=MANY_LINES), Visible]
Scope = Annotated[str, Field(min_length=1, max_length=4_000, pattern=MANY_LINES), Visible]
Reason = Annotated[str, Field(min_length=1, max_length=2_000, pattern=MANY_LINES), Visible]
PartyName = Annotated[
    str,
    Field(min_length=1, max_length=NAME, pattern=ONE_LINE, description="The platform's own id of a party."),
    _by(outside_words.identifier, field="id"),
]
# A name comes as text, and is taken for the member that it names.
NAMED = Field(strict=False)
Role = Annotated[PartyRole, NAMED]
Type = Annotated[ProjectType, NAMED]
Mode = Annotated[FeeMode, NAMED]
FundedHow = Annotated[Funding, NAMED]
SentMethod = TypeAliasType("SentMethod", Literal["standard", "instant"])
PayersReason = TypeAliasType(
    "PayersReason",
    Literal["NOT_STARTED", "NO_SHOW", "INCOMPLETE", "DEFECTIVE", "NOT_AS_AGREED", "DAMAGE", "OTHER"],
)
ReportKinds = Annotated[ReportKind, NAMED]
_DIGITS = re.compile(r"[1-9][0-9]{0,18}")
Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Day = Annotated[
    date | None,
    BeforeValidator(_date),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}),
]
Currency = Annotated[str, Field(json_schema_extra={"enum": sorted(CURRENCIES)}, pattern=CURRENCY)]
Region = Annotated[
    str,
    Field(min_length=2, max_length=60, pattern=STATE, description="A state, by its name."),
]
WebAddress = Annotated[
    str,
    Field(
        max_length=2_000,
        json_schema_extra={"pattern": web_addresses.PAGE},
        description="An https address of the marketplace's own, with the name of its host; http is refused.",
    ),
    AfterValidator(web_addresses.page),
]
WrittenLanguage = Annotated[
    str, Field(json_schema_extra={"enum": sorted(Language)}), AfterValidator(languages.written)
]
Token = Annotated[str, Field(min_length=1, max_length=NAME, pattern=TOKEN)]


def in_digits(value: object) -> object:
    """A number in an address is written in digits only: 1.0, +1 and 01 name nothing."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("it must be a whole number above zero, written in digits")
    return value


Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(in_digits)]
ProjectId = Annotated[Id, Path(description="The desk's id of a project.")]
MilestoneId = Annotated[Id, Path(description="The desk's id of a milestone.")]
SettlementProposalId = Annotated[Id, Path(description="The desk's id of a settlement proposal.")]
PayoutId = Annotated[Id, Path(description="The desk's id of a payout.")]
RefundId = Annotated[Id, Path(description="The desk's id of a refund.")]
ReceiptId = Annotated[Id, Path(description="The desk's id of a receipt.")]
ChargebackId = Annotated[Id, Path(description="The desk's id of a chargeback.")]
EvidenceId = Annotated[Id, Path(description="The desk's id of a piece of evidence.")]
EmailId = Annotated[Id, Path(description="The desk's id of an e-mail.")]
ReportId = Annotated[Id, Path(description="The desk's id of a report.")]
FlagId = Annotated[Id, Path(description="The desk's id of a flagged practice.")]
EndpointId = Annotated[Id, Path(description="The desk's id of an endpoint for events.")]
SetupId = Annotated[Id, Path(description="The desk's id of a payment method setup.")]
DisputeId = Annotated[Id, Path(description="The desk's id of a dispute.")]
Named = Annotated[
    str, Query(min_length=1, max_length=NAME, pattern=ONE_LINE, description="The platform's own id.")
]
After = Annotated[int, Query(ge=0, le=LARGEST_ID, description="Only what comes after this number.")]
Limit = Annotated[int, Query(ge=1, le=100, description="At most so many.")]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=PRINTABLE,
        description="One key for one request of the platform; sent again with it, the first answer is given again.",
    ),
]


class Shape(BaseModel):
    """Unknown fields are refused, and nothing is taken for something else."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Amount(Shape):
    """Whole minor units of a currency: 104356 and USD are $1,043.56."""

    minor: int = Field(ge=1, le=MAX_MINOR)
    currency: Currency

    def money(self) -> Money:
        return Money(self.minor, self.currency)


_LEFT_OUT = Field(default_factory=str)  # what may be missing, and has no default to describe


class NewParty(Shape):
    external_id: PartyName
    role: Role
    name: Line
    email: Email
    city: Place = ""
    country: Country = "US"
    withdrawal_method: SentMethod = "standard"


class ProviderAccount(Shape):
    """What the payment provider needs: a payer's payment method, or a payee's bank, as its own tokens. `currency` is
    that of the payee's account; a payer pays in the currency of the project."""

    party: PartyName
    currency: Currency
    payment_method: Token | None = None
    bank_token: Token | None = None


class BankAccount(Shape):
    """The payment provider's token of another bank account, in the currency that it pays out to it."""

    party: PartyName
    bank_token: Token


class PaymentMethod(Shape):
    party: PartyName
    payment_method: Token


class PartyDetails(Shape):
    """What is to change; the rest stays as it is. Nothing becomes null: what stays is left out."""

    party: PartyName
    name: Line = _LEFT_OUT
    email: Email = _LEFT_OUT
    city: Place = _LEFT_OUT
    country: Country = _LEFT_OUT
    language: WrittenLanguage = Field(
        default_factory=str, description="E-mails are written in it. The desk writes in English only (`en`)."
    )

    def given(self) -> dict[str, Any]:
        """What was given, with its values."""
        return self.model_dump(exclude={"party"}, exclude_unset=True)


class AccountLink(Shape):
    """`onboarding` asks the payee for what is due, `update` lets them change what they gave."""

    party: PartyName
    type: Literal["onboarding", "update"] = "onboarding"
    refresh_url: WebAddress
    return_url: WebAddress


class AcceptedBid(Shape):
    bid_reference: Exact
    payer: PartyName
    payee: PartyName
    title: Line
    scope: Scope
    project_type: Type
    fee_mode: Mode
    total: Amount
    funding: FundedHow = Funding.IN_TURN


class ByParty(Shape):
    """Who does it: a party of the project."""

    party: PartyName


class Confirmation(ByParty):
    part: Annotated[Part, NAMED]


class Planned(Shape):
    title: Line
    deliverable: Scope
    amount: Amount
    acceptance_rule: Annotated[Line, AcceptanceRuleSchema] = "AUTO_RELEASE"
    target_date: Day = None


class Adjustment(ByParty):
    milestones: list[Planned] = Field(min_length=1, max_length=50)


class FundingRequest(ByParty):
    """All of the milestones named here, or none."""

    milestones: list[Number] = Field(min_length=1, max_length=50, json_schema_extra={"uniqueItems": True})
    payment_method: Token | None = None
    return_url: WebAddress | None = Field(
        default=None,
        description="Where the page of the payer's bank sends them back to; without it the bank asks in the "
        "marketplace's own page.",
    )
    off_session: bool = Field(
        default=False,
        description="The payer is not there now: the payment method that they saved is charged.",
    )


class FundingChoice(ByParty):
    funding: FundedHow


class Rework(ByParty):
    """What was done about the issues, if the payee wants to say so: it goes to the payer as a message."""

    details: Text | None = None


class Dispute(ByParty):
    reason: PayersReason
    details: Text | None = None


class Details(ByParty):
    details: Text


class Complaint(ByParty):
    reason: Reason


class MessageRequest(ByParty):
    body: Text


class ReportRequest(ByParty):
    """A report by one party about the other, or about something of the project."""

    kind: ReportKinds
    details: Text
    milestone: Number | None = None
    external_id: Exact | None = None


class ContentEvent(Shape):
    """A rule of the marketplace found something in what was written. The same `external_id` is the same event.

    `about`: who wrote it, if that is known; an event that staff upholds is recorded against that party.
    """

    external_id: Exact
    kind: ReportKinds
    severity: Annotated[Severity, NAMED]
    details: Text
    milestone: Number | None = None
    about: Literal["payer", "payee"] | None = None


class Mismatch(Shape):
    """Where the practice is licensed, and where the work is done."""

    licensed_in: Region
    needed_in: Region


class Resolution(Shape):
    resolution: Reason


class Review(ByParty):
    stars: int = Field(ge=1, le=5)
    body: Annotated[str, Field(max_length=4_000, pattern=MAYBE_LINES)] = ""


class Share(Shape):
    """As an amount, and nothing at all is one too."""

    minor: int = Field(ge=0, le=MAX_MINOR)
    currency: Currency

    def money(self) -> Money:
        return Money(self.minor, self.currency)


class Proposal(ByParty):
    """`release` would go to the payee, and what else is held back to the payer."""

    release: Share
    note: Annotated[str, Field(max_length=10_000, pattern=MAYBE_LINES)] = ""


class Preferences(ByParty):
    """How often e-mails that are not urgent come, and which of them not at all."""

    frequency: Annotated[Frequency, NAMED] = Frequency.TOGETHER
    muted: list[Annotated[str, Field(min_length=1, max_length=60, pattern=LETTER_KIND)]] = Field(
        default_factory=list, max_length=50
    )


class Withdrawal(ByParty):
    method: SentMethod


class Replay(Shape):
    """Everything after this number is told again, in its order."""

    after: int = Field(ge=0, le=LARGEST_ID)


class NewEndpoint(Shape):
    """An https address on the public internet; in a demo also one of this computer, with http or https."""

    url: Annotated[str, Field(min_length=8, max_length=2_000, pattern=PRINTABLE)]


class Nothing(Shape):
    """An empty object: the address says it all."""
