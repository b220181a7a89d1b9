"""Periods: which are closed, what a close still needs, and what it says of the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import period_summary
from core.db import NEWEST
from core.errors import NotFound
from core.ledger.accounts import CHART, AccountType
from core.ledger.postings.year_end import RESULT
from core.money import Money, in_order, shown_order
from core.queries import check_runs, invariants
from core.queries.financial_reports import FinancialReportKind, reports
from core.queries.movements import DAWN, moved
from core.queries.movements import Period as Days
from core.report_files import Level, Sheet, SheetRow
from core.rules.breaks import counted
from core.rules.check_runs import CheckPart
from core.rules.periods import DAY, Item, PeriodKind, Span, reopened_with, span

OPEN_FROM = text("select open_from from ledger_lock where open_from > '-infinity'")
RUN = text(
    """
    select id, until from reconciliation_runs
    where until >= :ends and status in ('CLEAN', 'SUSPENSE', 'BREAKS') order by id desc limit 1
    """
)
BREAKS = text(
    "select count(*) as open, count(*) filter (where kind = 'IN_SUSPENSE') as in_suspense"
    " from breaks where status = 'OPEN' and since < :ends"
)
SUSPENSE = text(
    """
    select i.currency, sum(i.amount_minor)::bigint as minor, count(*) as items
    from suspense_items i
    left join balance_transactions b on b.id = i.transaction_id
    left join bank_statement_lines l on l.id = i.bank_line_id
    where i.status = 'OPEN' and coalesce(b.created_at, l.booked_on::timestamp at time zone 'utc') < :ends group by 1
    """
)


# The first that closed it: a month that was closed day by day was closed by days.
CLOSED_AS = """
select kind from periods where status = 'CLOSED' and kind <> 'YEAR' and last_day = {last} order by id limit 1
"""
CLOSED_BEFORE = text(CLOSED_AS.format(last=":last"))
LATER_YEAR = text(
    "select 1 from periods where kind = 'YEAR' and status = 'CLOSED' and last_day >= :first limit 1"
)


def open_from(session: Session) -> date | None:
    """The first open day; None while nothing was ever closed."""
    found: datetime | None = session.execute(OPEN_FROM).scalar_one_or_none()
    return found.astimezone(UTC).date() if found else None


def next_due(session: Session) -> Span | None:
    """What is to be closed next: a month where the one before it was closed as one, else the first open day; None
    while nothing was ever closed."""
    since = open_from(session)
    if since is None:
        return None
    before = session.execute(CLOSED_BEFORE, {"last": since - DAY}).scalar_one_or_none()
    monthly = since.day == 1 and before == PeriodKind.MONTH
    return span(PeriodKind.MONTH if monthly else PeriodKind.DAY, since)


def is_open(session: Session, day: date) -> bool:
    """Whether anything may be posted for this day, UTC."""
    since = open_from(session)
    return since is None or day >= since


def checklist(session: Session, wanted: Span, *, now: datetime) -> list[Item]:
    """What must be so before this is closed, in the order in which people see to it."""
    return [*cheap(session, wanted, now=now), _checks(session)]


def standing(session: Session, wanted: Span, *, now: datetime) -> list[Item]:
    """The same for whoever looks, with the checks of the books as their last run found them."""
    return [*cheap(session, wanted, now=now), _last_checks(session, now)]


def cheap(session: Session, wanted: Span, *, now: datetime) -> list[Item]:
    """All of it but the checks of the books, which take their time."""
    return [
        _over(wanted, now),
        _in_order(session, wanted),
        _reconciled(session, wanted, now),
        _breaks(session, wanted),
        _suspense(session, wanted),
    ]


def _over(wanted: Span, now: datetime) -> Item:
    met = now >= wanted.ends
    found = "It is over." if met else f"{wanted.words} is not over yet, by UTC."
    return Item("over", "The period is over", found, met)


def _in_order(session: Session, wanted: Span) -> Item:
    year = wanted.kind is PeriodKind.YEAR
    law = "Every month of it is closed" if year else "Everything before it is closed"
    since = open_from(session)
    twice = session.execute(
        text("select 1 from periods where kind = :kind and first_day = :first and status = 'CLOSED'"),
        {"kind": wanted.kind, "first": wanted.first},
    ).first()
    if twice:
        return Item("in_order", law, f"{wanted.words} is closed already.", False)
    if year:
        return _after_its_months(session, wanted, law, since)
    if since is None:
        return Item("in_order", law, "Nothing was closed before: everything up to its end will be.", True)
    if wanted.first > since:
        return Item("in_order", law, f"{since:%-d %b %Y} is to be closed first.", False)
    if wanted.kind is PeriodKind.DAY and wanted.first < since:
        return Item("in_order", law, f"{wanted.words} lies in a period that is closed already.", False)
    return Item("in_order", law, f"Closed up to {since - DAY:%-d %b %Y}.", True)


def _after_its_months(session: Session, wanted: Span, law: str, since: date | None) -> Item:
    if since is None or since <= wanted.last:
        to_close = f"{since:%B %Y}" if since and since >= wanted.first else f"{wanted.last:%B %Y}"
        return Item("in_order", law, f"{to_close} is to be closed first.", False)
    if session.execute(LATER_YEAR, {"first": wanted.first}).first():
        return Item("in_order", law, "A later fiscal year is closed already.", False)
    return Item("in_order", law, f"Closed up to {since - DAY:%-d %b %Y}.", True)


def _reconciled(session: Session, wanted: Span, now: datetime) -> Item:
    law = "Stripe's statement was reconciled to its end"
    run = session.execute(RUN, {"ends": wanted.ends}).one_or_none()
    if run is None:
        found = (
            f"No reconciliation reaches the end of {wanted.words}: run one."
            if now >= wanted.ends
            else f"The reconciliation that reaches its end can be run when {wanted.words} is over."
        )
        return Item("reconciled", law, found, False)
    return Item(
        "reconciled", law, f"RC-{run.id} read the statement until {run.until:%-d %b %Y, %H:%M} UTC.", True
    )


def _breaks(session: Session, wanted: Span) -> Item:
    """What is in suspense has a line of its own."""
    law, count = "Every break of it is explained", session.execute(BREAKS, {"ends": wanted.ends}).one()
    found = f"Of its days or earlier: {counted(count.open, count.in_suspense)}."
    if count.open == count.in_suspense:
        return Item("breaks", law, found, True)
    return Item("breaks", law, found, False, explainable=True)


def _suspense(session: Session, wanted: Span) -> Item:
    law = "Suspense is empty or explained"
    rows = session.execute(SUSPENSE, {"ends": wanted.ends}).all()
    if not rows:
        return Item("suspense", law, "Nothing in suspense.", True)
    sums = ", ".join(each.text() for each in in_order(Money(row.minor, row.currency) for row in rows))
    count = sum(row.items for row in rows)
    one = count == 1
    # By the day on which it moved: what was booked of it later stands in a later period's trial balance.
    found = f"In suspense, by the day of {'its line' if one else 'each line'} on the statement: {sums} in {count} item"
    found += "." if one else "s."
    return Item("suspense", law, found, False, explainable=True)


def _failing(laws: Sequence[str]) -> str:
    """What must be true and is not: the first, and how many more."""
    more = f" and {len(laws) - 1} more" if len(laws) > 1 else ""
    return f"Not true: “{laws[0].rstrip('.')}”{more}." if laws else "A check of the books failed."


def _checks(session: Session) -> Item:
    broken = [each.law for each in invariants.run(session) if each.rows]
    found = (
        f"{_failing(broken)} Run the checks again on the page Checks to see the rows."
        if broken
        else "Every check of the books holds."
    )
    return Item("checks", "Every check of the books holds", found, not broken)


def _last_checks(session: Session, now: datetime) -> Item:
    law, run = "Every check of the books holds", check_runs.standing(session, now=now).books
    part = run.of(CheckPart.BOOKS) if run else None
    if run is None or part is None:
        return Item("checks", law, "No run of the checks has ended yet; closing runs them.", True, again=True)
    when = f"in the run of {run.started_at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
    found = invariants.as_found(part.rows)
    failed = [each.law for each in found if each.count]
    if failed or part.wrong:
        return Item(
            "checks",
            law,
            f"{_failing(failed)} So it was {when}: the page Checks has the rows and runs them again.",
            False,
        )
    held = (
        "Every check" if all(each.count is not None for each in found) else "Every check that there was then"
    )
    return Item("checks", law, f"{held} held {when}; closing runs them again.", True, again=True)


@dataclass(frozen=True)
class YearResult:
    """What a fiscal year leaves on income and expense in one currency. `nets`: debits less credits by line."""

    currency: str
    nets: Mapping[str, Money]

    @property
    def income(self) -> Money:
        return -self._of(AccountType.INCOME)

    @property
    def expenses(self) -> Money:
        return self._of(AccountType.EXPENSE)

    @property
    def result(self) -> Money:
        """Income less expenses: what goes to retained earnings."""
        return self.income - self.expenses

    def _of(self, kind: AccountType) -> Money:
        return Money.total(
            (net for name, net in self.nets.items() if CHART[name].kind is kind), self.currency
        )


def results(session: Session, wanted: Span) -> list[YearResult]:
    """What the closing entries of the year move, by currency; of years before it what none has moved yet."""
    lines = [each for each in CHART.values() if each.kind in RESULT]
    (found,) = moved(session, [Days(DAWN, wanted.last)], lines=lines)
    nets: dict[str, dict[str, Money]] = {}
    for (name, currency), side in sorted(found.items()):
        if side.net:
            nets.setdefault(currency, {})[name] = Money(side.net, currency)
    return [YearResult(currency, nets[currency]) for currency in sorted(nets, key=shown_order)]


def figures(session: Session, wanted: Span, *, before_closing: bool = True) -> list[dict[str, Any]]:
    """The trial balance of the period, by currency and book: what is signed. Of a fiscal year, before or after what
    closes it."""
    days = Days(wanted.first, wanted.last)
    found = reports(
        session, FinancialReportKind.TRIAL_BALANCE, days, movements=True, before_closing=before_closing
    )
    return [
        {
            "currency": each.currency,
            "book": each.book.value,
            "lines": [
                {
                    "number": row.number,
                    "name": row.name,
                    "title": row.title,
                    "opening": _net(row.amounts[0], row.amounts[1]),
                    "debits": _minor(row.amounts[2]),
                    "credits": _minor(row.amounts[3]),
                    "closing": _net(row.amounts[4], row.amounts[5]),
                }
                for row in each.rows
                if row.name
            ],
        }
        for each in found
    ]


def _minor(amount: Money | None) -> int:
    return amount.minor if amount else 0


def _net(debit: Money | None, credit: Money | None) -> int:
    return _minor(debit) - _minor(credit)


@dataclass(frozen=True)
class PeriodRow:
    """One close. `waits`: somebody asks for it to be reopened; `reopened_why`: two people did, of this period or of an
    earlier one, `with_…`, with which it was."""

    id: int
    kind: str
    first_day: date
    last_day: date
    status: str
    closed_at: datetime
    closed_by: str
    explanation: str
    summary: dict[str, Any]
    reopening_id: int | None
    waits_id: int | None
    waits_by: int | None
    waits_by_name: str | None
    waits_reason: str | None
    reopened_why: str | None
    with_kind: str | None
    with_first: date | None
    with_last: date | None
    reopened_by: str | None
    closing_entries: list[int]

    @property
    def words(self) -> str:
        return Span(PeriodKind(self.kind), self.first_day, self.last_day).words

    @property
    def reopened_because(self) -> str:
        """The reason of its own reopening, or of which other one it was a part; empty where it was not reopened."""
        if self.reopened_why is None or self.with_kind is None or not self.with_first or not self.with_last:
            return self.reopened_why or ""
        earlier = Span(PeriodKind(self.with_kind), self.with_first, self.with_last)
        return reopened_with(earlier, self.reopened_why)

    @property
    def journals(self) -> int:
        return int(self.summary["journals"]["count"])


ROWS = """
select p.id, p.kind, p.first_day, p.last_day, p.status, p.closed_at, coalesce(s.name, p.closed_via) as closed_by,
       p.explanation, p.summary, p.reopening_id, w.id as waits_id, w.proposed_by as waits_by, m.name as waits_by_name,
       w.reason as waits_reason, r.reason as reopened_why,
       a.kind as with_kind, a.first_day as with_first, a.last_day as with_last, c.name as reopened_by,
       array(select e.journal_id from year_end_entries e where e.period_id = p.id order by 1) as closing_entries
from periods p
left join staff s on s.id = p.closed_by
left join period_reopenings w on w.period_id = p.id and w.status = 'PROPOSED'
left join staff m on m.id = w.proposed_by
left join period_reopenings r on r.id = p.reopening_id
left join periods a on a.id = r.period_id and a.id <> p.id
left join staff c on c.id = r.settled_by
where {where} order by p.id desc limit :limit
"""


def rows(session: Session, *, before: int | None = None, limit: int = 51) -> list[PeriodRow]:
    """The newest close first."""
    found = session.execute(
        text(ROWS.format(where="p.id < :before")), {"before": before or NEWEST, "limit": limit}
    )
    return [PeriodRow(**row) for row in found.mappings()]


def closed(session: Session, wanted: Span) -> PeriodRow | None:
    """The close of exactly this day or month that stands."""
    query = text(ROWS.format(where="p.kind = :kind and p.first_day = :first and p.status = 'CLOSED'"))
    values = {"kind": wanted.kind, "first": wanted.first, "limit": 1}
    found = session.execute(query, values).mappings().first()
    return PeriodRow(**found) if found else None


def year_ends_on(session: Session, day: date) -> bool:
    """Whether a fiscal year that is closed ends on this day."""
    wanted = text(
        "select 1 from periods where kind = 'YEAR' and status = 'CLOSED' and last_day = :day limit 1"
    )
    return session.execute(wanted, {"day": day}).first() is not None


def row(session: Session, period_id: int) -> PeriodRow:
    """Raises `NotFound`."""
    found = (
        session.execute(text(ROWS.format(where="p.id = :id")), {"id": period_id, "limit": 1})
        .mappings()
        .first()
    )
    if found is None:
        raise NotFound(kind="period", id=period_id)
    return PeriodRow(**found)


def items_of(period: PeriodRow) -> Sequence[dict[str, Any]]:
    """The checklist as it was signed."""
    return list(period.summary["checklist"])


def sheets(period: PeriodRow) -> list[Sheet]:
    """The signed summary on paper: the checklist, then the trial balance of each currency."""
    words, facts = period.words, period.summary
    checklist = Sheet(
        "Checklist",
        f"Closed: {words}",
        f"Closed by {facts['closed_by']} on {facts['closed_at'][:16].replace('T', ' at ')} UTC. "
        f"Journals in it: {facts['journals']['count']:,}. The books then ended with J-{facts['journals']['last']}.",
        ("", "What has to be so", "What was found"),
        3,
        tuple(
            SheetRow(Level.LINE, ("Done" if each["met"] else "Explained", each["law"], each["found"]))
            for each in facts["checklist"]
        ),
    )
    after = [_sheet(period, each, "after closing") for each in facts.get("figures_after", ())]
    when = "before closing" if after else ""
    return [checklist, *(_sheet(period, each, when) for each in facts["figures"]), *after]


def _sheet(period: PeriodRow, figures: dict[str, Any], when: str) -> Sheet:
    currency, memo = figures["currency"], figures["book"] != "platform"
    columns = ("opening", "debits", "credits", "closing")
    rows = [(line, [Money(line[name], currency) for name in columns]) for line in figures["lines"]]
    total = tuple(Money.total((amounts[n] for _, amounts in rows), currency) for n in range(len(columns)))
    return Sheet(
        f"{currency}{' memo' if memo else ''}{f' {when}' if when else ''}",
        f"Trial balance{f' {when}' if when else ''}, {period.words}, {currency}{', payees’ own money' if memo else ''}",
        "Opening and closing balances: debits above zero, credits below.",
        ("No.", "Account", *(name.capitalize() for name in columns)),
        2,
        (
            *(SheetRow(Level.LINE, (line["number"], line["title"], *amounts)) for line, amounts in rows),
            SheetRow(Level.TOTAL, (None, "Total", *total)),
        ),
    )


def foot(period: PeriodRow) -> list[str]:
    """What a paper needs so that it can be held against the signed file."""
    explained = [f"Explanation: {period.explanation}"] if period.explanation else []
    return [
        *explained,
        f"SHA-256 of the signed summary: {period_summary.digest(period.summary)}",
        f"Signature (Ed25519): {period.summary['signature']}",
        f"Key: {period.summary['key']}. `escrow-desk period verify FILE` proves the JSON of this summary.",
    ]
