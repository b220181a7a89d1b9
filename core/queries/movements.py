"""What the lines of the chart moved in any period, from the daily totals and the tail.

A day is one of `posted_at` in UTC. One statement reads any number of periods; its cost grows with the days and not with
the postings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.ledger.accounts import ChartLine
from core.ledger.postings.year_end import YEAR_END
from core.money import Money
from core.rules.periods import year_start

DAWN, FIRST, LAST, DAY = date.min, date(1970, 1, 1), date(9999, 1, 1), timedelta(days=1)


class PeriodBackwards(DeskError):
    """A period cannot end on {last} and begin on {first}. Give the earlier day first."""


@dataclass(frozen=True)
class Period:
    """From the first to the last day, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise PeriodBackwards(first=self.first, last=self.last)

    @property
    def words(self) -> str:
        return f"{self.first:%-d %b %Y} to {self.last:%-d %b %Y}"

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + DAY, time(), UTC)


def year_to(at: date, year_begins: int = 1) -> Period:
    """The period that a report is for when only its day is given: the fiscal year until then."""
    return Period(year_start(at, year_begins), at)


def before(period: Period) -> Period:
    """The one of the same length just before; of what begins with a month, the same days as many months earlier."""
    first, last = period.first, period.last
    if first.day > 1:
        return Period(first - DAY - (last - first), first - DAY)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    whole = (last + DAY).day == 1
    return Period(_earlier(first, months), first - DAY if whole else _earlier(last, months))


def _earlier(day: date, months: int) -> date:
    """The same day of a month earlier, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    after = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + DAY * (day.day - 1), after - DAY)


# The tail is what is not rolled up yet: little, and read whole.
MOVED = text(
    """
    with windows as (
        select * from unnest(cast(:firsts as date[]), cast(:lasts as date[]), cast(:closing as boolean[]))
            with ordinality as w (first, last, closing, n)
    ), moved as materialized (
        select day, line, currency_number, kind = any(:year_end) as closing, sum(debits) as debits,
               sum(credits) as credits
        from daily_totals where day <= :last and (cast(:lines as smallint[]) is null or line = any(:lines))
        group by 1, 2, 3, 4
        union all
        select (j.posted_at at time zone 'UTC')::date, (t.account_id >> 10 & 255)::smallint,
               (t.account_id & 1023)::smallint, j.kind = any(:year_end), greatest(t.amount, 0), greatest(-t.amount, 0)
        from posting_tail t join journals j on j.id = t.journal_id
        where cast(:lines as smallint[]) is null or (t.account_id >> 10 & 255) = any(:lines)
    )
    select s.n, h.name as line, c.code as currency, s.debits, s.credits
    from (
        select w.n, m.line, m.currency_number, sum(m.debits)::bigint as debits, sum(m.credits)::bigint as credits
        from windows w join moved m on m.day between w.first and w.last and (w.closing or not m.closing)
        group by 1, 2, 3
    ) s
    join chart h on h.line = s.line
    join currencies c on c.number = s.currency_number
    """
)


@dataclass(frozen=True)
class Turnover:
    """What a line moved in a time: debits and credits in minor units."""

    debits: int = 0
    credits: int = 0

    @property
    def net(self) -> int:
        return self.debits - self.credits


NOTHING = Turnover()
Moved = Mapping[tuple[str, str], Turnover]


def moved(
    session: Session,
    periods: Sequence[Period],
    *,
    before_closing: Collection[int] = (),
    lines: Collection[ChartLine] | None = None,
) -> list[Moved]:
    """What each line of the chart, or these only, moved in each of the periods, by its name and currency. Of the
    periods with these positions the entries that close a fiscal year are left out."""
    found: list[dict[tuple[str, str], Turnover]] = [{} for _ in periods]
    values = {
        "firsts": [each.first for each in periods],
        "lasts": [each.last for each in periods],
        "closing": [n not in before_closing for n in range(len(periods))],
        "year_end": list(YEAR_END),
        "last": max(each.last for each in periods),
        "lines": None if lines is None else [each.number for each in lines],
    }
    for row in session.execute(MOVED, values):
        found[row.n - 1][row.line, row.currency] = Turnover(row.debits, row.credits)
    return list(found)


@dataclass(frozen=True)
class Stood:
    """One currency in one period: what each line had before it, and what it moved in it."""

    period: Period
    currency: str
    earlier: Moved
    within: Moved

    def opening(self, line: ChartLine) -> Money:
        return Money(self._of(self.earlier, line).net, self.currency)

    def debits(self, line: ChartLine) -> Money:
        return Money(self._of(self.within, line).debits, self.currency)

    def credits(self, line: ChartLine) -> Money:
        return Money(self._of(self.within, line).credits, self.currency)

    def movement(self, line: ChartLine) -> Money:
        return self.debits(line) - self.credits(line)

    def closing(self, line: ChartLine) -> Money:
        return self.opening(line) + self.movement(line)

    def _of(self, found: Moved, line: ChartLine) -> Turnover:
        return found.get((line.name, self.currency), NOTHING)
