"""Money on its way back to payers."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.rules.grounds import Ground
from core.rules.refunds import RefundStatus


class RefundAnswer(TypedDict):
    """`of_milestone`: the part of the milestone's own amount in it; the rest are fees that are returned with it.
    `failure` and `failure_code`: why it failed, in a sentence and in the payment provider's word."""

    id: int
    milestone: int
    amount: MoneyAnswer
    of_milestone: MoneyAnswer
    ground: Ground
    status: RefundStatus
    failure: str | None
    failure_code: str | None
    created_at: Moment
    settled_at: Moment | None


class RefundsAnswer(PageAnswer):
    items: list[RefundAnswer]
