"""Payments that a payer's bank disputes."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.rules.chargebacks import ChargebackStatus


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
