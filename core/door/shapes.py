"""What may come in, field by field: strict JSON, money in whole minor units, bounded text without control marks.

Parties are named by the platform's own ids, projects and milestones by the desk's.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from core.money import CURRENCIES, MAX_MINOR, Money

LARGEST_ID = 2**53 - 1
ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
MANY_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
NAME = 200
EMAIL = r"^[^\x00-\x20\x7f@<>()\[\],;:\\\"]{1,64}@[A-Za-z0-9.-]{1,190}$"


def _date(value: Any) -> Any:
    if value is None or isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("write a date as YYYY-MM-DD")
    return date.fromisoformat(value)


Line = Annotated[str, Field(min_length=1, max_length=NAME, pattern=ONE_LINE)]
Text = Annotated[str, Field(min_length=1, max_length=10_000, pattern=MANY_LINES)]
Scope = Annotated[str, Field(min_length=1, max_length=4_000, pattern=MANY_LINES)]
PartyName = Annotated[
    str,
    Field(min_length=1, max_length=NAME, pattern=ONE_LINE, description="The platform's own id of a party."),
]
Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Day = Annotated[
    date | None,
    BeforeValidator(_date),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}),
]
Currency = Annotated[str, Field(json_schema_extra={"enum": sorted(CURRENCIES)}, pattern=r"^[A-Z]{3}$")]
Token = Annotated[str, Field(min_length=1, max_length=NAME, pattern=r"^[A-Za-z0-9_-]+$")]

ProjectId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The desk's id of a project.")]
MilestoneId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The desk's id of a milestone.")]
DisputeId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The desk's id of a dispute.")]
Named = Annotated[str, Query(min_length=1, max_length=NAME, pattern=ONE_LINE)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[!-~]+$",
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


class NewParty(Shape):
    external_id: PartyName
    role: Literal["PAYER", "PAYEE"]
    name: Line
    email: str = Field(max_length=254, pattern=EMAIL)
    city: str = Field(default="", max_length=NAME, pattern=r"^[^\x00-\x1f\x7f]*$")
    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    withdrawal_method: Literal["standard", "instant", "check", "wire"] = "standard"


class ProviderAccount(Shape):
    """What the payment provider needs: a payer's payment method, or a payee's bank, as its own tokens."""

    party: PartyName
    currency: Currency
    payment_method: Token | None = None
    bank_token: Token | None = None


class AcceptedBid(Shape):
    bid_reference: Line
    payer: PartyName
    payee: PartyName
    title: Line
    scope: Scope
    project_type: Line
    fee_mode: Line
    total: Amount


class ByParty(Shape):
    """Who does it: a party of the project."""

    party: PartyName


class Confirmation(ByParty):
    part: Literal["SCOPE_BY_PAYER", "SCOPE_BY_PAYEE", "FEE", "CONFLICT_CHECK", "DISCLAIMERS"]


class Planned(Shape):
    title: Line
    deliverable: Scope
    amount: Amount
    acceptance_rule: Line = "AUTO_RELEASE"
    target_date: Day = None


class Adjustment(ByParty):
    milestones: list[Planned] = Field(min_length=1, max_length=50)


class Funding(ByParty):
    """All of the milestones named here, or none."""

    milestones: list[Number] = Field(min_length=1, max_length=50, json_schema_extra={"uniqueItems": True})
    payment_method: Token | None = None


class Dispute(ByParty):
    reason: Literal["NOT_STARTED", "NO_SHOW", "INCOMPLETE", "DEFECTIVE", "NOT_AS_AGREED", "DAMAGE", "OTHER"]
    details: Text | None = None


class Details(ByParty):
    details: Text


class Complaint(ByParty):
    reason: Annotated[str, Field(min_length=1, max_length=2_000, pattern=MANY_LINES)]


class Said(ByParty):
    body: Text
