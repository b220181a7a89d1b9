"""Trial balance, balance sheet and income statement: as of any day, for any period, beside another one.

A report is one currency. Its rows are made once, of what `movements` reads, and shown on the page, in a terminal, in a
file and on paper alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import AccountType, Book, ChartLine, Group
from core.money import Money, shown_order
from core.queries.ledger import sides
from core.queries.movements import DAWN, DAY, Moved, Period, Stood, moved
from core.report_files import Level, Sheet, SheetRow


class FinancialReportKind(StrEnum):
    TRIAL_BALANCE = "trial-balance"
    BALANCE_SHEET = "balance-sheet"
    INCOME = "income"

    @property
    def heading(self) -> str:
        return TITLES[self]


TITLES: Mapping[FinancialReportKind, str] = {
    FinancialReportKind.TRIAL_BALANCE: "Trial balance",
    FinancialReportKind.BALANCE_SHEET: "Balance sheet",
    FinancialReportKind.INCOME: "Income statement",
}


@dataclass(frozen=True)
class ReportRow:
    """`name` is the line of the chart; `amounts` stand under the columns of the report, None is an empty cell."""

    id: str
    level: Level
    title: str
    amounts: tuple[Money | None, ...]
    number: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class FinancialReport:
    """One report in one currency. What ought to be zero in a sound ledger is `difference`."""

    kind: FinancialReportKind
    currency: str
    book: Book
    period: Period
    compared: Period | None
    columns: tuple[str, ...]
    rows: tuple[ReportRow, ...]
    difference: Money

    @property
    def memo(self) -> bool:
        return self.book is Book.PAYEE

    @property
    def said(self) -> str:
        """For when it is."""
        at, result = f"At the end of {self.period.last:%-d %b %Y}", f"result of {self.period.words}"
        when = {
            FinancialReportKind.TRIAL_BALANCE: at,
            FinancialReportKind.BALANCE_SHEET: f"{at}; {result}",
            FinancialReportKind.INCOME: self.period.words,
        }[self.kind]
        return f"{when}{f', beside {self.compared.words}' if self.compared else ''}. Days are UTC."


def sheet(report: FinancialReport) -> Sheet:
    """The paper form of a report."""
    return Sheet(
        f"{report.currency}{' memo' if report.memo else ''}",
        f"{report.kind.heading}, {report.currency}{', payees’ own money' if report.memo else ''}",
        report.said,
        ("No.", "Account", *report.columns),
        2,
        tuple(SheetRow(row.level, (row.number, row.title, *row.amounts)) for row in report.rows),
    )


def reports(
    session: Session,
    kind: FinancialReportKind,
    period: Period,
    *,
    compared: Period | None = None,
    movements: bool = False,
    zeros: bool = False,
    before_closing: bool = False,
) -> list[FinancialReport]:
    """The report in every currency that was posted to by then, dollars first; the payees' own book comes last, and in
    the trial balance only.

    `movements`: the trial balance shows the period, from opening to closing balances. `zeros`: lines that have nothing
    to show are listed all the same. What closes a fiscal year within the period is left out of what it earned, and with
    `before_closing` out of its trial balance too.
    """
    periods = [period, *([compared] if compared else [])]
    windows = [each for one in periods for each in (Period(DAWN, one.first - DAY), one)]
    result = before_closing or kind is not FinancialReportKind.TRIAL_BALANCE
    found = moved(session, windows, before_closing=range(1, len(windows), 2) if result else ())
    made = []
    for book, currency in _sheets(found):
        if book is Book.PLATFORM or kind is FinancialReportKind.TRIAL_BALANCE:
            stood = [Stood(one, currency, *found[2 * n : 2 * n + 2]) for n, one in enumerate(periods)]
            lines = [line for line in accounts.IN_ORDER if line.book is book]
            columns, rows, difference = _MAKERS[kind](stood, lines, movements, zeros)
            made.append(
                FinancialReport(kind, currency, book, period, compared, columns, tuple(rows), difference)
            )
    return made


def _sheets(found: Sequence[Moved]) -> list[tuple[Book, str]]:
    """Book and currency of each sheet, in their order."""
    present = {(accounts.CHART[name].book, currency) for each in found for name, currency in each}
    return sorted(present, key=lambda sheet: (sheet[0] is Book.PAYEE, shown_order(sheet[1])))


Amounts = tuple[Money | None, ...]
Made = tuple[tuple[str, ...], Sequence[ReportRow], Money]


def _says(amounts: Amounts) -> bool:
    return any(amount is not None and not amount.is_zero for amount in amounts)


def _sums(each: Sequence[Amounts], width: int, currency: str) -> tuple[Money, ...]:
    zero = Money.zero(currency)
    return tuple(Money.total((amounts[n] or zero for amounts in each), currency) for n in range(width))


def _line(line: ChartLine, amounts: Amounts) -> ReportRow:
    return ReportRow(line.name, Level.LINE, line.title, amounts, line.gl_number, line.name)


# -- trial balance --

SIX = ("Opening debit", "Opening credit", "Debits", "Credits", "Closing debit", "Closing credit")


def _trial_balance(stood: Sequence[Stood], lines: Sequence[ChartLine], movements: bool, zeros: bool) -> Made:
    columns = list(SIX if movements else ("Debit", "Credit"))
    for other in stood[1:]:
        columns += [f"Debit, {day(other.period.last)}", f"Credit, {day(other.period.last)}"]
    rows: list[ReportRow] = []
    for kind, members in groupby(lines, key=lambda line: line.kind):
        of_kind = [_line(line, _both_sides(stood, line, movements)) for line in members]
        kept = [row for row in of_kind if zeros or _says(row.amounts)]
        if kept:
            rows += [ReportRow(f"type-{kind}", Level.HEADING, PLURALS[kind], (None,) * len(columns)), *kept]
    totals = _sums([row.amounts for row in rows], len(columns), stood[0].currency)
    closing = 4 if movements else 0
    rows.append(ReportRow("total", Level.TOTAL, "Total", totals))
    return tuple(columns), rows, totals[closing] - totals[closing + 1]


def _both_sides(stood: Sequence[Stood], line: ChartLine, movements: bool) -> Amounts:
    here = stood[0]
    began: list[Money | None] = []
    if movements:
        within = (here.debits(line), here.credits(line))
        began = [*sides(here.opening(line)), *(each if each.is_positive else None for each in within)]
    return (*began, *(side for each in stood for side in sides(each.closing(line))))


# -- balance sheet and income statement --

PLURALS: Mapping[AccountType, str] = {
    AccountType.ASSET: "Assets",
    AccountType.LIABILITY: "Liabilities",
    AccountType.EQUITY: "Equity",
    AccountType.INCOME: "Income",
    AccountType.EXPENSE: "Expenses",
}
RETAINED, RESULT = accounts.RETAINED_EARNINGS, "result"
Amount = Callable[[Stood, ChartLine], Money]


@dataclass
class _Statement:
    """Rows under construction: one amount for each period, and with two of them the change."""

    stood: Sequence[Stood]
    lines: Sequence[ChartLine]
    zeros: bool
    rows: list[ReportRow]

    def across(self, amount: Callable[[Stood], Money]) -> tuple[Money, ...]:
        each = [amount(one) for one in self.stood]
        return (*each, each[0] - each[1]) if len(each) > 1 else tuple(each)

    def section(self, kind: AccountType, amount: Amount, *more: ReportRow) -> tuple[Money, ...]:
        """A type with its groups, their lines and subtotals; the result is its total. `more` rows belong to it."""
        title, start = PLURALS[kind], len(self.rows)
        width = len(self.across(lambda one: Money.zero(one.currency)))
        self.rows.append(ReportRow(f"type-{kind}", Level.HEADING, title, (None,) * width))
        sums: list[Amounts] = [row.amounts for row in more]
        members = [
            line for line in self.lines if line.kind is kind and line.name not in {row.id for row in more}
        ]
        for group, lines in groupby(members, key=lambda line: line.group):
            sums.append(self._group(group, list(lines), amount))
        self.rows += [row for row in more if self.zeros or _says(row.amounts)]
        if len(self.rows) == start + 1:
            self.rows.append(ReportRow(f"none-{kind}", Level.LINE, "None", (None,) * width))
        total = _sums(sums, width, self.stood[0].currency)
        self.rows.append(ReportRow(f"total-{kind}", Level.TOTAL, f"Total {title.lower()}", total))
        return total

    def _group(self, group: Group, lines: Sequence[ChartLine], amount: Amount) -> Amounts:
        each = [_line(line, self.across(lambda one, line=line: amount(one, line))) for line in lines]  # type: ignore[misc]
        kept = [row for row in each if self.zeros or _says(row.amounts)]
        total = _sums([row.amounts for row in each], len(each[0].amounts), self.stood[0].currency)
        self.rows += kept
        if len(kept) > 1 and group.heading != PLURALS[group.kind]:
            self.rows.append(ReportRow(f"group-{group}", Level.SUBTOTAL, group.heading, total))
        return total

    def columns(self, words: Callable[[Period], str]) -> tuple[str, ...]:
        return (*(words(one.period) for one in self.stood), *(("Change",) if len(self.stood) > 1 else ()))


def _balance_sheet(stood: Sequence[Stood], lines: Sequence[ChartLine], movements: bool, zeros: bool) -> Made:
    """Assets are liabilities and equity: the result of the period, and of all periods before it, is equity."""
    made = _Statement(stood, lines, zeros, [])
    earlier = made.across(
        lambda one: _result(one, lines, Stood.opening) - one.closing(accounts.CHART[RETAINED])
    )
    retained = accounts.CHART[RETAINED]
    assets = made.section(AccountType.ASSET, Stood.closing)
    liabilities = made.section(AccountType.LIABILITY, lambda one, line: -one.closing(line))
    equity = made.section(
        AccountType.EQUITY,
        lambda one, line: -one.closing(line),
        _line(retained, earlier),
        ReportRow(
            RESULT,
            Level.LINE,
            "Result of the period",
            made.across(lambda one: _result(one, lines, Stood.movement)),
        ),
    )
    both = tuple(each + equity[n] for n, each in enumerate(liabilities))
    made.rows.append(ReportRow("total-both", Level.TOTAL, "Total liabilities and equity", both))
    return made.columns(lambda period: day(period.last)), made.rows, assets[0] - both[0]


def _income(stood: Sequence[Stood], lines: Sequence[ChartLine], movements: bool, zeros: bool) -> Made:
    made = _Statement(stood, lines, zeros, [])
    income = made.section(AccountType.INCOME, lambda one, line: -one.movement(line))
    expenses = made.section(AccountType.EXPENSE, Stood.movement)
    result = tuple(each - expenses[n] for n, each in enumerate(income))
    made.rows.append(ReportRow(RESULT, Level.TOTAL, "Result of the period", result))
    difference = result[0] - _result(stood[0], lines, Stood.movement)
    return made.columns(lambda period: period.words), made.rows, difference


def _result(stood: Stood, lines: Sequence[ChartLine], amount: Amount) -> Money:
    """Income less expenses."""
    earned = (
        -amount(stood, line) for line in lines if line.kind in (AccountType.INCOME, AccountType.EXPENSE)
    )
    return Money.total(earned, stood.currency)


def day(at: date) -> str:
    """`3 Nov 2026`."""
    return f"{at:%-d %b %Y}"


_MAKERS: Mapping[FinancialReportKind, Callable[[Sequence[Stood], Sequence[ChartLine], bool, bool], Made]] = {
    FinancialReportKind.TRIAL_BALANCE: _trial_balance,
    FinancialReportKind.BALANCE_SHEET: _balance_sheet,
    FinancialReportKind.INCOME: _income,
}
