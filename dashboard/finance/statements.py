"""Financial statements on screen: a sheet that an accountant reads, each figure of which opens what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from urllib.parse import urlencode

import streamlit as st
from sqlalchemy.orm import Session

from core import report_files, table_files
from core.ledger import accounts
from core.money import Money
from core.queries import financial_reports
from core.queries.financial_reports import RESULT, FinancialReport, FinancialReportKind, ReportRow
from core.queries.movements import DAY, FIRST, Period, before, year_to
from core.report_files import Level, Sheet
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import download, filters, tables
from dashboard.ui.safe import html
from dashboard.ui.status import Pill

BESIDE = {"before": "The period before", "year": "A year earlier"}
LOOK = {Level.HEADING: "ed-head", Level.LINE: "", Level.SUBTOTAL: "ed-sub", Level.TOTAL: "ed-sum"}
PAPERS: Sequence[tuple[str, str, Callable[[Sequence[Sheet]], bytes]]] = (
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", report_files.xlsx),
    ("pdf", "application/pdf", report_files.pdf),
)


def compared_period(period: Period, chosen: str | None) -> Period | None:
    """The period that stands beside it."""
    if chosen == "before":
        return before(period)
    return Period(_year_earlier(period.first), _year_earlier(period.last)) if chosen == "year" else None


def _year_earlier(day: date) -> date:
    return date(day.year - 1, day.month, min(day.day, 28) if day.month == 2 else day.day)


def period(today: date) -> Period:
    """The days asked for; without them the fiscal year until today."""
    picked = filters.dates("Period", key="days", latest=today)
    if not picked:
        return year_to(today, request_context.desk().settings.fiscal_year_begins)
    return Period(picked[0], picked[-1])


def in_balance(report: FinancialReport) -> Pill:
    if report.difference.is_zero:
        return Pill("In balance", "good", meaning="Assets are liabilities and equity.")
    return Pill("Does not balance", "bad", meaning="Something was changed behind the ledger.")


def show(report: FinancialReport) -> None:
    """The sheet. Links lead to the same days."""
    head = "".join(f'<th class="ed-num">{html(column)}</th>' for column in report.columns)
    body = "".join(_row(report, row) for row in report.rows)
    name = html(f"{report.kind.heading} in {report.currency}")
    st.html(
        f'<div class="ed-wide"><table class="ed-statement" aria-label="{name}"><thead><tr><th>No.</th><th>Account</th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(report: FinancialReport, row: ReportRow) -> str:
    number = "" if row.number is None else str(row.number)
    where = _way(report, row)
    title = html(row.title)
    if where:
        title = f'<a href="{html(where)}" target="_self">{title}</a>'
    cells = "".join(f'<td class="ed-num">{_amount(each)}</td>' for each in row.amounts)
    return f'<tr class="{LOOK[row.level]}"><td>{number}</td><td>{title}</td>{cells}</tr>'


def _amount(amount: Money | None) -> str:
    return "" if amount is None else html(amount.text())


def _way(report: FinancialReport, row: ReportRow) -> str:
    """What the figure is made of: the accounts of a line as they stood, the activity of an account, the income."""
    if row.id == RESULT and report.kind is FinancialReportKind.BALANCE_SHEET:
        return _address("financial_statements", report.period, report="income", currency=report.currency)
    if row.id == accounts.RETAINED_EARNINGS and report.kind is FinancialReportKind.BALANCE_SHEET:
        earlier = Period(FIRST, report.period.first - DAY)
        return _address("financial_statements", earlier, report="income", currency=report.currency)
    if row.name is None:
        return ""
    if accounts.CHART[row.name].per is None:
        return _address("account", report.period, code=row.name, iso=report.currency)
    at = report.period.last.isoformat()
    return f"/trial_balance?{urlencode({'line': row.name, 'currency': report.currency, 'at': at})}"


def _address(page: str, period: Period, **params: str) -> str:
    days = [("days", period.first.isoformat()), ("days", period.last.isoformat())]
    return f"/{page}?{urlencode([*params.items(), *days])}"


def files(report: FinancialReport, *, zeros: bool) -> None:
    """The sheet as CSV, XLSX and PDF; each is read again when it is fetched, and the log says who took it."""
    if not request_context.may(Permission.EXPORT_LEDGER):
        return
    filter: Mapping[str, object] = {
        "currency": report.currency,
        "from": report.period.first,
        "to": report.period.last,
        "beside": report.compared.words if report.compared else None,
        "zero-balances": zeros,
    }

    def again(session: Session) -> list[FinancialReport]:
        found = financial_reports.reports(
            session, report.kind, report.period, compared=report.compared, zeros=zeros
        )
        return [each for each in found if (each.currency, each.book) == (report.currency, report.book)]

    with st.container(horizontal=True, gap="small"):
        columns = [
            tables.count("number", "No."),
            tables.mono("name", "Name"),
            tables.text("title", "Account"),
            tables.text("level", "Level"),
            *(
                tables.money(f"amount-{n}", title, value=lambda row, n=n: row.amounts[n])
                for n, title in enumerate(report.columns)
            ),
        ]
        download.table(
            download.Table(report.kind.value, lambda session: again(session)[0].rows, filter=filter),
            columns,
            key=f"{report.kind}-{report.currency}",
        )
        papers(
            report.kind.value,
            filter,
            lambda session: [financial_reports.sheet(each) for each in again(session)],
            key=f"{report.kind}-{report.currency}",
        )


def papers(
    name: str, filter: Mapping[str, object], sheets: Callable[[Session], Sequence[Sheet]], *, key: str
) -> None:
    """The same sheets as XLSX and as PDF, each read again when it is fetched."""
    for ending, media_type, draw in PAPERS:
        download.document(
            ending.upper(),
            table_files.Document(name, ending, filter, Permission.EXPORT_LEDGER),
            partial(_drawn, draw, sheets),
            key=f"{key}-{ending}",
            media_type=media_type,
        )


def _drawn(
    draw: Callable[[Sequence[Sheet]], bytes], sheets: Callable[[Session], Sequence[Sheet]], session: Session
) -> bytes:
    return draw(sheets(session))
