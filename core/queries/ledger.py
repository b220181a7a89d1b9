"""The books on screen: the trial balance, the accounts of a line, and one account's register.

Debits and credits stand in two columns, as accountants read them; a balance is told on the side on which its account
grows. Registers are paged by journal id, and the running balance of a page is read in the same statement as its rows,
so that a posting in between cannot come between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts, book
from core.ledger.accounts import BY_NUMBER, CHART, Book
from core.money import Money

NEWEST = 2**63 - 1
MOST_OBJECTS = 2**40


@dataclass(frozen=True)
class Line:
    """One line of the trial balance; the column on the other side is None."""

    name: str
    title: str
    kind: str
    accounts: int
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True)
class Sheet:
    """The trial balance of one currency in one book. It balances when `difference` is zero."""

    currency: str
    book: str
    lines: tuple[Line, ...]

    @property
    def debits(self) -> Money:
        return Money.total((line.debit for line in self.lines if line.debit), self.currency)

    @property
    def credits(self) -> Money:
        return Money.total((line.credit for line in self.lines if line.credit), self.currency)

    @property
    def difference(self) -> Money:
        return self.debits - self.credits

    @property
    def memo(self) -> bool:
        return self.book == Book.PAYEE


def sheets(session: Session) -> list[Sheet]:
    """The trial balance: a sheet a currency, then one for the payees' own money in it."""
    kinds = ("asset", "liability", "income", "expense")
    order = {name: (kinds.index(line.kind), place) for place, (name, line) in enumerate(CHART.items())}
    found = sorted(
        book.trial_balance(session),
        key=lambda each: (
            each.book != Book.PLATFORM,
            each.net.currency != "USD",
            each.net.currency,
            order[each.line],
        ),
    )
    return [
        Sheet(currency, which, tuple(_line(each) for each in lines))
        for (which, currency), lines in groupby(found, key=lambda each: (each.book, each.net.currency))
    ]


def _line(each: book.LineBalance) -> Line:
    debit, credit = sides(each.net)
    return Line(each.line, CHART[each.line].title, each.kind, each.accounts, debit, credit)


def sides(net: Money) -> tuple[Money | None, Money | None]:
    """Debits less credits, as (debit, credit)."""
    if net.is_negative:
        return None, -net
    return (net, None) if net.is_positive else (None, None)


@dataclass(frozen=True)
class AccountRow:
    """`id` is the number of the object that the account is kept for; 0 for the one account of a line."""

    id: int
    code: str
    what_for: str
    debit: Money | None
    credit: Money | None


# Objects are named beside the page's few rows, not while it is searched.
ACCOUNTS = text(
    """
    with page as materialized (
        select b.account_id, b.code, coalesce(b.object_id, 0) as object_id, b.net
        from account_balances b
        where b.line = :line and b.currency = :currency and coalesce(b.object_id, 0) < :before
          and (b.net <> 0 or :everything)
        order by b.object_id desc nulls last limit :limit
    )
    select page.*, case :per when 'milestone' then m.title || ' · ' || p.title when 'party' then y.name end as what_for
    from page
    left join milestones m on :per = 'milestone' and m.id = page.object_id
    left join projects p on p.id = m.project_id
    left join parties y on :per = 'party' and y.id = page.object_id
    order by page.object_id desc
    """
)


def accounts_of(
    session: Session,
    line: str,
    currency: str,
    *,
    before: int | None = None,
    limit: int = 51,
    everything: bool = False,
) -> list[AccountRow]:
    """The accounts of a line of the chart, newest object first; only those with something on them, or all."""
    values = {
        "line": line,
        "currency": currency,
        "before": before or MOST_OBJECTS,
        "limit": limit,
        "everything": everything,
        "per": CHART[line].per or "",
    }
    return [
        AccountRow(
            row.object_id, row.code, row.what_for or CHART[line].title, *sides(Money(row.net, currency))
        )
        for row in session.execute(ACCOUNTS, values)
    ]


@dataclass(frozen=True)
class Head:
    """An account; `balance` on the side on which it grows."""

    code: str
    currency: str
    line: accounts.Line
    balance: Money
    milestone_id: int | None
    party_id: int | None


def account(session: Session, code: str, currency: str) -> Head:
    """Raises `AccountUnknown` or `UnknownCurrency`; an account that nothing was posted to is empty, not unknown."""
    line, number = accounts.line_of(code), accounts.object_id(code)
    return Head(
        code=code,
        currency=currency,
        line=line,
        balance=book.balance(session, code, currency),
        milestone_id=number if line.per == "milestone" else None,
        party_id=number if line.per == "party" else None,
    )


@dataclass(frozen=True)
class Entry:
    """One journal on an account's page; `balance` is what lay on the account after it. `id` is the journal's."""

    id: int
    posted_at: datetime
    kind: str
    memo: str
    key: str
    debit: Money | None
    credit: Money | None
    balance: Money


REGISTER = text(
    """
    with page as materialized (
        (select journal_id, amount from register where account_id = :account and journal_id < :before
         order by journal_id desc limit :limit)
        union all
        (select journal_id, amount from posting_tail where account_id = :account and journal_id < :before
         order by journal_id desc limit :limit)
        order by journal_id desc limit :limit
    ), top as materialized (
        select coalesce((select net from account_balances where account_id = :account), 0) - case when :deep then
               (select coalesce(sum(amount), 0) from account_postings
                where account_id = :account and journal_id >= :before) else 0 end as net
    )
    select p.journal_id as id, p.amount, j.posted_at, j.kind, j.memo, j.key, top.net::bigint as top
    from page p join journals j on j.id = p.journal_id cross join top
    order by p.journal_id desc
    """
)


def register(
    session: Session, code: str, currency: str, *, before: int | None = None, limit: int = 51
) -> list[Entry]:
    """An account's journals, newest first, each with the balance after it."""
    number, side = accounts.number(code, currency), accounts.line_of(code).side
    values = {"account": number, "before": before or NEWEST, "deep": before is not None, "limit": limit}
    rows = session.execute(REGISTER, values).all()
    grows = 1 if side is accounts.Side.DEBIT else -1

    def entries() -> Iterator[Entry]:
        net = rows[0].top if rows else 0
        for row in rows:
            debit, credit = sides(Money(row.amount, currency))
            balance = Money(net * grows, currency)
            yield Entry(row.id, row.posted_at, row.kind, row.memo, row.key, debit, credit, balance)
            net -= row.amount

    return list(entries())


def line_title(code: str) -> str:
    """`held:17` as `Held for the milestone`, for a code that is in the chart."""
    return accounts.line_of(code).title


def all_lines() -> dict[str, str]:
    """Line → title, in the order of the chart: the options of a filter."""
    return {line.name: line.title for line in BY_NUMBER.values()}
