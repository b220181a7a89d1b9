"""A journal: what happened to the money, once, as postings that sum to zero.

Debits are written > 0 and credits < 0. A journal is in one currency and in one book, so that each currency and each
book balances by itself; an account occurs in it once; postings of nothing are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import DeskError
from core.ledger import accounts
from core.money import Money

Cause = Mapping[str, Any]
"""What brought the event about: ids of the decision, the operation, the balance transaction. No personal data."""


class UnbalancedJournal(DeskError):
    """The postings of {key} do not cancel out: they are off by {off_by}."""


class JournalTooShort(DeskError):
    """{key} moves no money: a journal needs at least two postings."""


class BooksMixed(DeskError):
    """{key} mixes the platform's money with the payees' own."""


class PartBelowZero(DeskError):
    """{part} of {key} would be {amount}; it cannot be below zero."""


@dataclass(frozen=True)
class Posting:
    """`amount` > 0 is a debit of the account, < 0 a credit."""

    account: str
    amount: Money


@dataclass(frozen=True)
class Journal:
    """`key` names the event for ever: the same key with the same content is booked once, with other content never."""

    key: str
    kind: str
    postings: tuple[Posting, ...]
    milestone_id: int | None = None
    party_id: int | None = None
    memo: str = ""
    cause: Cause = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "postings", _merged(self.postings))
        if len(self.postings) < 2:
            raise JournalTooShort(key=self.key)
        off_by = Money.total((posting.amount for posting in self.postings), self.currency)
        if not off_by.is_zero:
            raise UnbalancedJournal(key=self.key, off_by=off_by)
        if len({accounts.account_type(posting.account).book for posting in self.postings}) > 1:
            raise BooksMixed(key=self.key)

    @property
    def currency(self) -> str:
        return self.postings[0].amount.currency


def _merged(postings: tuple[Posting, ...]) -> tuple[Posting, ...]:
    """One posting an account, in the order of first mention, without those of nothing."""
    sums: dict[str, Money] = {}
    for posting in postings:
        sums[posting.account] = (
            sums.get(posting.account, Money.zero(posting.amount.currency)) + posting.amount
        )
    return tuple(Posting(account, amount) for account, amount in sums.items() if not amount.is_zero)


def debit(account: str, amount: Money) -> Posting:
    return Posting(account, amount)


def credit(account: str, amount: Money) -> Posting:
    return Posting(account, -amount)


def at_least_zero(key: str, **parts: Money) -> None:
    """Refuses a part that is below zero: a fee taken from nobody, a release of less than nothing."""
    for part, amount in parts.items():
        if amount.is_negative:
            raise PartBelowZero(part=part.replace("_", " "), key=key, amount=amount)
