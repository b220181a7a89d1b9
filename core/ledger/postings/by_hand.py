"""A manual journal: what two people post by hand, and its reversal.

Only accounts of the platform itself may be posted to by hand. Money that is held, owed or on its way moves by what the
desk does, with its own proof; a line that somebody wrote there would make the money of one person another's
(docs/decisions/0025).
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import DeskError
from core.ledger import accounts
from core.ledger.accounts import CHART, AccountType
from core.ledger.journals import Cause, Journal, Posting

# Besides equity, income and expenses. What payees owe is written off by hand; the database lets it not go below zero.
ASSETS = frozenset({accounts.BANK, "receivable_payee"})
# What may be reversed. Every other journal's other side is Stripe's statement, a case or a payout, which would then say
# something else than the ledger; a refund from our bank fails with its reversal.
REVERSIBLE = frozenset(
    {
        "manual_journal",
        "manual_journal_reversed",
        "journal_reversed",
        "platform_payout_paid",
        "refund_returned",
    }
)
# It is what a conversion of Stripe's left, line by line.
NEVER = frozenset({accounts.EXCHANGE_DIFFERENCE})


class NotByHand(DeskError):
    """{account} is not posted to by hand: {title} follows from payments, decisions, payouts or Stripe's lines. Use the
    page on which that is done, or explain the amount in suspense."""


class OneSideEach(DeskError):
    """Each line is a debit or a credit of more than nothing, and an account stands in one line only."""


def by_hand(name: str) -> bool:
    """Whether a line of the chart may be posted to by hand."""
    line = CHART[name]
    own = line.kind in (AccountType.EQUITY, AccountType.INCOME, AccountType.EXPENSE) or name in ASSETS
    return own and name not in NEVER


def manual_journal(*, key: str, lines: Sequence[Posting], memo: str, cause: Cause) -> Journal:
    """What was proposed, line by line: debits above zero. Raises `NotByHand`, `OneSideEach`, `UnbalancedJournal`."""
    check(lines)
    return Journal(key, "manual_journal", tuple(lines), memo=memo, cause=cause)


def manual_journal_reversed(*, key: str, lines: Sequence[Posting], memo: str, cause: Cause) -> Journal:
    """The `lines` of the journal that is reversed, each on the other side."""
    check(lines)
    other = tuple(Posting(line.account, -line.amount) for line in lines)
    return Journal(key, "manual_journal_reversed", other, memo=memo, cause=cause)


def journal_reversed(*, key: str, lines: Sequence[Posting], memo: str, cause: Cause) -> Journal:
    """The `lines` of a journal that the desk posted by itself, each on the other side: two people say that it did not
    happen."""
    other = tuple(Posting(line.account, -line.amount) for line in lines)
    return Journal(key, "journal_reversed", other, memo=memo, cause=cause)


def check(lines: Sequence[Posting]) -> None:
    """Raises `AccountUnknown`, `NotByHand`, `OneSideEach`."""
    for line in lines:
        name = accounts.account_type(line.account).name
        if not by_hand(name):
            raise NotByHand(account=line.account, title=CHART[name].title)
    if any(line.amount.is_zero for line in lines) or len({line.account for line in lines}) != len(lines):
        raise OneSideEach()
