"""What payees owe the platform."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Day, MoneyAnswer, PageAnswer


class RepaymentAnswer(TypedDict):
    """`paid` of `amount` is settled. Once it is `due`, what is open of it is set off against the next release."""

    due_on: Day
    amount: MoneyAnswer
    paid: MoneyAnswer
    due: bool


class OwedAnswer(TypedDict):
    """One currency. `due`: what of `owed` no instalment puts off, so that it is set off against the next release.
    `instalments`: those of the plan that was agreed with the payee, in their order; none without a plan."""

    owed: MoneyAnswer
    due: MoneyAnswer
    instalments: list[RepaymentAnswer]


class DebtAnswer(TypedDict):
    """What a payee owes, in each currency in which they owe anything."""

    payee: str
    debts: list[OwedAnswer]


class DebtsAnswer(PageAnswer):
    items: list[DebtAnswer]
