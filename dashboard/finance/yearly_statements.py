"""A year's statement on screen: its months with their total, each figure the way to what it is made of, and the same as
CSV, XLSX and PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from sqlalchemy.orm import Session

from core.money import Money
from core.queries import yearly_statements
from core.queries.yearly_statements import Flow, Month, Year
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance import statements
from dashboard.ui import cards, download, header, tables
from dashboard.ui.safe import html

NAME = "yearly-statement"
OPENING, CLOSING = "opening", "closing"
# Where a figure leads, if anywhere: of a month or, without one, of the year; a flow's name in small letters, or a
# balance's.
Way = Callable[[Year, Month | None, str], str]


def statement(
    each: Year, *, given: Mapping[str, object], way: Way, again: Callable[[Session], Sequence[Year]]
) -> None:
    """`again` reads it anew for a file."""
    header.section(f"{each.name}, {each.currency}", f"{each.year}, days of UTC. {yearly_statements.MEANT}")
    cards.facts(
        {
            "Opening balance": each.months[0].opening,
            **{flow.value: each.total(flow) for flow in each.columns},
            "Closing balance": each.months[-1].closing,
        }
    )
    _table(each, way)
    if not request_context.may(Permission.EXPORT_LEDGER):
        return

    def sheets(session: Session) -> list[Year]:
        return [year for year in again(session) if year.currency == each.currency]

    key = f"{NAME}-{each.currency}"
    with st.container(horizontal=True, gap="small"):
        download.table(
            download.Table(NAME, lambda session: sheets(session)[0].months, filter=given),
            _columns(each),
            key=key,
        )
        statements.papers(
            NAME,
            given,
            lambda session: [yearly_statements.sheet(one) for one in sheets(session)],
            key=key,
        )


def _table(each: Year, way: Way) -> None:
    """The months and their total, as the paper form has them."""
    names = ("Opening balance", *(flow.value for flow in each.columns), "Closing balance")
    head = "".join(f'<th class="ed-num">{html(name)}</th>' for name in names)
    rows = [_row(each, month, way) for month in each.months]
    label = html(f"{each.name}, {each.currency}, month by month")
    st.html(
        f'<div class="ed-wide"><table class="ed-statement" aria-label="{label}"><thead><tr><th>No.</th><th>Month</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}{_row(each, None, way)}</tbody></table></div>"
    )


def _row(each: Year, month: Month | None, way: Way) -> str:
    """Of a month, or the total of the year."""
    figures: list[tuple[str, Money]] = [
        (OPENING, month.opening if month else each.months[0].opening),
        *((flow.name.lower(), month.flow(flow) if month else each.total(flow)) for flow in each.columns),
        (CLOSING, month.closing if month else each.months[-1].closing),
    ]
    cells = "".join(
        f'<td class="ed-num">{_figure(amount, way(each, month, of))}</td>' for of, amount in figures
    )
    number, name = (str(month.id.month), month.name) if month else ("", f"Year {each.year}")
    look = "" if month else ' class="ed-sum"'
    return f"<tr{look}><td>{number}</td><td>{html(name)}</td>{cells}</tr>"


def _figure(amount: Money, where: str) -> str:
    said = html(amount.text())
    return f'<a href="{html(where)}" target="_self">{said}</a>' if where else said


def _columns(each: Year) -> list[tables.Column]:
    def flow(wanted: Flow) -> Callable[[Month], object]:
        return lambda month: month.flow(wanted)

    return [
        tables.text("name", "Month"),
        tables.money("opening", "Opening balance"),
        *(tables.money(one.name.lower(), one.value, value=flow(one)) for one in each.columns),
        tables.money("closing", "Closing balance"),
    ]
