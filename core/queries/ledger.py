"""The books on screen: the trial balance, the accounts of a line, and one account's register.

Debits and credits stand in two columns, as accountants read them; a balance is told on the side on which its account
grows. Registers are paged by journal id, and the running balance of a page is read in the same statement as its rows,
so that a posting in between cannot come between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.ledger import accounts, journal_store
from core.ledger.accounts import CHART, Book
from core.money import Money, shown_order
from core.queries.movements import DAY, FIRST, LAST, NOTHING, Moved, Period, Turnover, moved
from core.records import Milestone, Party


@dataclass(frozen=True)
class TrialBalanceLine:
    """One line of the trial balance, by the chart's account number; the column on the other side is None."""

    number: int
    name: str
    title: str
    kind: str
    debit: Money | None
    credit: Money | None
    debit_beside: Money | None = None
    credit_beside: Money | None = None


@dataclass(frozen=True)
class TrialBalance:
    """The trial balance of one currency in one book. It balances when `difference` is zero."""

    currency: str
    book: str
    lines: tuple[TrialBalanceLine, ...]

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


def nets(session: Session, *, at: date | None = None) -> dict[tuple[str, str], Money]:
    """By line and currency, debits less credits of everything that was ever posted, or was by the end of that day."""
    (found,) = moved(session, [Period(FIRST, at or LAST)])
    return {(line, currency): Money(each.net, currency) for (line, currency), each in found.items()}


def sheets(
    session: Session,
    *,
    at: date | None = None,
    beside: date | None = None,
    zeros: bool = False,
    before_closing: bool = False,
) -> list[TrialBalance]:
    """The trial balance: a sheet a currency, then one for the payees' own money in it; now, or at the end of a day, and
    `beside` it at the end of another. Lines without a balance are left out, but for `zeros`. `before_closing`: without
    the entry that closes a fiscal year on that day."""
    days = [at or LAST, *([beside] if beside else [])]
    windows = [each for day in days for each in (Period(FIRST, day - DAY), Period(day, day))]
    each = moved(session, windows, before_closing=range(1, len(windows), 2) if before_closing else ())
    found = [_together(*each[n : n + 2]) for n in range(0, len(each), 2)]
    present = sorted(
        {(CHART[name].book, currency) for each in found for name, currency in each},
        key=lambda sheet: (sheet[0] != Book.PLATFORM, shown_order(sheet[1])),
    )
    return [sheet for book, currency in present if (sheet := _sheet(book, currency, found, zeros)).lines]


def _together(earlier: Moved, then: Moved) -> Moved:
    return {
        key: Turnover(a.debits + b.debits, a.credits + b.credits)
        for key in {*earlier, *then}
        for a, b in [(earlier.get(key, NOTHING), then.get(key, NOTHING))]
    }


def _sheet(book: Book, currency: str, found: Sequence[Moved], zeros: bool) -> TrialBalance:
    lines = []
    for line in accounts.IN_ORDER:
        here, *there = (Money(each.get((line.name, currency), NOTHING).net, currency) for each in found)
        if line.book is book and (zeros or any(not each.is_zero for each in (here, *there))):
            beside = sides(there[0]) if there else (None, None)
            lines.append(
                TrialBalanceLine(line.gl_number, line.name, line.title, line.kind, *sides(here), *beside)
            )
    return TrialBalance(currency, book, tuple(lines))


def sides(net: Money) -> tuple[Money | None, Money | None]:
    """Debits less credits as (debit, credit)."""
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
ACCOUNTS = """
    with {asked}tail as materialized (
        select account_id, sum(amount) as net from posting_tail where account_id & 131072 <> 0 group by account_id
    ), page as materialized (
        select a.code, a.object_id, n.net
        from accounts a
        join chart c on c.line = a.line
        left join balances b on b.account_id = a.id
        left join hot_balances h on h.account_id = a.id
        left join tail t on t.account_id = a.id
        cross join lateral (
            select (case when c.hot then coalesce(h.net, 0) + coalesce(t.net, 0) else b.balance * c.side end
                    - ({later}))::bigint as net
        ) n
        where a.line = :line and a.currency_number = :iso and a.id < {below} and (n.net <> 0 or :everything)
        order by a.id desc limit :limit
    )
    select page.*, case :per when 'milestone' then m.title || ' · ' || p.title when 'party' then y.name end as what_for
    from page
    left join milestones m on :per = 'milestone' and m.id = page.object_id
    left join projects p on p.id = m.project_id
    left join parties y on :per = 'party' and y.id = page.object_id
    order by page.object_id desc
    """
NOW = text(ACCOUNTS.format(asked="", later="0", below=":before"))
# As of an earlier day, what was posted after it is taken off again. The daily totals know from which journal on it was,
# and up to which account there was anything by then; of a line with one account they know how much it is.
EARLIER = """
    later_tail as materialized (
        select t.account_id, t.amount, j.posted_at >= :until as later
        from posting_tail t join journals j on j.id = t.journal_id
        where t.account_id >> 10 & 255 = :line and t.account_id & 1023 = :iso
    ), span as materialized (
        select min(first_journal) filter (where day > :at) as first_journal,
               coalesce(sum(debits - credits) filter (where day > :at), 0) as net,
               greatest(max(last_account) filter (where day <= :at),
                        (select max(account_id) from later_tail where not later), 0) as last_account
        from daily_totals where line = :line and currency_number = :iso
    ), """
LATER_OF_AN_ACCOUNT = """
    coalesce((select sum(r.amount) from register r join journals j on j.id = r.journal_id
              where r.account_id = a.id and r.journal_id >= (select first_journal from span)
                and j.posted_at >= :until), 0)"""
LATER_OF_THE_LINE = "(select net from span)"
LATER_TAIL = " + coalesce((select sum(amount) from later_tail l where l.account_id = a.id and l.later), 0)"
BELOW = "least(:before, case when :everything then :before else (select last_account + 1 from span) end)"
AS_OF = {
    one: text(ACCOUNTS.format(asked=EARLIER, later=later + LATER_TAIL, below=BELOW))
    for one, later in ((True, LATER_OF_THE_LINE), (False, LATER_OF_AN_ACCOUNT))
}


def accounts_of(
    session: Session,
    line: str,
    currency: str,
    *,
    before: int | None = None,
    limit: int = 51,
    everything: bool = False,
    at: date | None = None,
) -> list[AccountRow]:
    """The accounts of a line of the chart, newest object first; only those with something on them, or all. With `at`,
    as they stood at the end of that day, UTC."""
    values = {
        "line": CHART[line].number,
        "iso": accounts.ISO_NUMBERS[currency],
        "before": accounts.number(f"{line}:{before}", currency) if before else NEWEST,
        "limit": limit,
        "everything": everything,
        "per": CHART[line].per or "",
    }
    statement = NOW
    if at:
        statement = AS_OF[CHART[line].per is None]
        values |= {"at": at, "until": datetime.combine(at + DAY, time(), UTC)}
    return [
        AccountRow(
            row.object_id, row.code, row.what_for or CHART[line].title, *sides(Money(row.net, currency))
        )
        for row in session.execute(statement, values)
    ]


@dataclass(frozen=True)
class Head:
    """An account; `balance` on its normal side."""

    code: str
    currency: str
    line: accounts.ChartLine
    balance: Money
    milestone_id: int | None
    party_id: int | None


def account(session: Session, code: str, currency: str) -> Head:
    """Raises `AccountUnknown`, `UnknownCurrency`, and `NotFound` where there is no such milestone or party; an account
    that nothing was posted to is empty, not unknown."""
    line, number = accounts.account_type(code), accounts.object_id(code)
    if line.per is not None and session.get(Milestone if line.per == "milestone" else Party, number) is None:
        raise NotFound(kind=line.per, id=number)
    return Head(
        code=code,
        currency=currency,
        line=line,
        balance=journal_store.balance(session, code, currency),
        milestone_id=number if line.per == "milestone" else None,
        party_id=number if line.per == "party" else None,
    )


@dataclass(frozen=True)
class AccountEntry:
    """One journal on an account's page; `balance` is what lay on the account after it. `id` is the journal's."""

    id: int
    posted_at: datetime
    kind: str
    memo: str
    key: str
    debit: Money | None
    credit: Money | None
    balance: Money


# Without `materialized` the planner walks all journals backwards to find a tail that is nearly always empty.
REGISTER = text(
    """
    with tail as materialized (
        select journal_id, amount from posting_tail where account_id = :account and journal_id < :before
    ), page as materialized (
        (select journal_id, amount from register where account_id = :account and journal_id < :before
         order by journal_id desc limit :limit)
        union all
        select journal_id, amount from tail
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
) -> list[AccountEntry]:
    """An account's journals, newest first, each with the balance after it."""
    number, side = accounts.number(code, currency), accounts.account_type(code).side
    values = {"account": number, "before": before or NEWEST, "deep": before is not None, "limit": limit}
    rows = session.execute(REGISTER, values).all()
    grows = 1 if side is accounts.Side.DEBIT else -1

    def entries() -> Iterator[AccountEntry]:
        net = rows[0].top if rows else 0
        for row in rows:
            debit, credit = sides(Money(row.amount, currency))
            balance = Money(net * grows, currency)
            yield AccountEntry(row.id, row.posted_at, row.kind, row.memo, row.key, debit, credit, balance)
            net -= row.amount

    return list(entries())
