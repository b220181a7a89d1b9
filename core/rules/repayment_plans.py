"""Repayment by instalments: what a payee owes, in amounts and days that are agreed with them (internal policy)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from core.errors import DeskError
from core.money import Money

MOST = 60


class Every(StrEnum):
    """How far instalments are apart."""

    WEEK = "WEEK"
    TWO_WEEKS = "TWO_WEEKS"
    MONTH = "MONTH"


DAYS = {Every.WEEK: 7, Every.TWO_WEEKS: 14}


@dataclass(frozen=True)
class Instalment:
    due_on: date
    amount: Money


class NotTheWholeDebt(DeskError):
    """The instalments sum to {total}, and {owed} is owed: they are to be equal."""


class PartOnItsWay(DeskError):
    """{amount} of it is on its way to be settled. Agree on instalments of the rest when that has arrived or failed."""


class DaysOutOfOrder(DeskError):
    """Instalments fall due today or later, each after the one before."""


class TooManyInstalments(DeskError):
    """A plan has 1 to {most} instalments, each of more than nothing."""


def equal(owed: Money, *, count: int, first: date, every: Every) -> list[Instalment]:
    """So many instalments of one amount, and the last of what remains. A month later is the same day, or the month's
    last. Raises `TooManyInstalments`."""
    if not 1 <= count <= MOST or owed.minor < count:
        raise TooManyInstalments(most=MOST)
    one = Money(owed.minor // count, owed.currency)
    amounts = [one] * (count - 1)
    amounts.append(owed - Money.total(amounts, owed.currency))
    return [Instalment(_later(first, number, every), amount) for number, amount in enumerate(amounts)]


def check(instalments: Sequence[Instalment], *, owed: Money, today: date) -> None:
    """Raises `TooManyInstalments`, `DaysOutOfOrder`, `NotTheWholeDebt`."""
    if not 1 <= len(instalments) <= MOST or not all(each.amount.is_positive for each in instalments):
        raise TooManyInstalments(most=MOST)
    days = [each.due_on for each in instalments]
    if days[0] < today or any(later <= before for before, later in pairwise(days)):
        raise DaysOutOfOrder()
    total = Money.total((each.amount for each in instalments), owed.currency)
    if total != owed:
        raise NotTheWholeDebt(total=total, owed=owed)


def _later(first: date, number: int, every: Every) -> date:
    if every in DAYS:
        return first + timedelta(days=DAYS[every] * number)
    year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))
