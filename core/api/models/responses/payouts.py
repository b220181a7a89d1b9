"""Withdrawals to payees."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.policy import WithdrawalMethod
from core.rules.payouts import PayoutStatus


class PayoutAnswer(TypedDict):
    """`failure` says in a sentence why it was not paid, `failure_code` in the payment provider's word, such as
    `account_closed`, where there is one; `amount_too_small` where a
    bank is not paid so little, which can only be after a debt was set off. `offered`: other methods that the payee
    may choose from, while a failed payout is in review. `fee_waived`: what the platform let go of another method's
    fee."""

    id: int
    milestone: int
    payee: str
    amount: MoneyAnswer
    fee: MoneyAnswer
    fee_waived: MoneyAnswer
    method: WithdrawalMethod
    status: PayoutStatus
    failure: str | None
    failure_code: str | None
    offered: list[WithdrawalMethod]
    requested_at: Moment
    arrival_at: Moment | None
    paid_at: Moment | None


class PayoutsAnswer(PageAnswer):
    items: list[PayoutAnswer]
