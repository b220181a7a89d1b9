"""The end of a fiscal year: what was earned and spent moves into retained earnings, and back when the year is reopened.

Reports leave these journals out of the year that they close: there they would undo what it earned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.ledger import accounts
from core.ledger.accounts import CHART, AccountType
from core.ledger.journals import Cause, Journal, Posting
from core.money import Money

YEAR_CLOSED, YEAR_REOPENED = "year_closed", "year_reopened"
YEAR_END = (YEAR_CLOSED, YEAR_REOPENED)
RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})


def year_closed(*, key: str, nets: Mapping[str, Money], memo: str, cause: Cause) -> Journal:
    """`nets`: debits less credits of each line of income and expense, as the year left it; each becomes zero."""
    emptied = [Posting(name, -net) for name, net in nets.items() if CHART[name].kind in RESULT]
    result = Money.total((line.amount for line in emptied), next(iter(nets.values())).currency)
    retained = Posting(accounts.RETAINED_EARNINGS, -result)
    return Journal(key, YEAR_CLOSED, (*emptied, retained), memo=memo, cause=cause)


def year_reopened(*, key: str, lines: Sequence[Posting], memo: str, cause: Cause) -> Journal:
    """The `lines` of the closing entry, each on the other side."""
    other = tuple(Posting(line.account, -line.amount) for line in lines)
    return Journal(key, YEAR_REOPENED, other, memo=memo, cause=cause)
