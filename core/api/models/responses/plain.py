"""What many answers are made of: moments, days, hashes, money, and one page of a list."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.names import CurrencyCode

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class MoneyAnswer(TypedDict):
    minor: int
    currency: CurrencyCode


class PageAnswer(TypedDict):
    """One page of a list, in `items`. `next`: the cursor of the page that follows; null where there is none."""

    has_more: bool
    next: str | None
