"""A year's statement on screen: its months with their total, and the same as CSV, XLSX and PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from sqlalchemy.orm import Session

from core.queries import yearly_statements
from core.queries.yearly_statements import Flow, Month, Year
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance import statements
from dashboard.ui import cards, download, header, tables

NAME = "yearly-statement"


def statement(each: Year, *, given: Mapping[str, object], again: Callable[[Session], Sequence[Year]]) -> None:
    """`again` reads it anew for a file."""
    header.section(f"{each.name}, {each.currency}", f"{each.year}, days of UTC. {yearly_statements.MEANT}")
    cards.facts(
        {
            "Opening balance": each.months[0].opening,
            **{flow.value: each.total(flow) for flow in each.columns},
            "Closing balance": each.months[-1].closing,
        }
    )
    columns = _columns(each)
    tables.small(each.months, columns, name=f"{each.name}, {each.currency}, month by month")
    if not request_context.may(Permission.EXPORT_LEDGER):
        return

    def sheets(session: Session) -> list[Year]:
        return [year for year in again(session) if year.currency == each.currency]

    key = f"{NAME}-{each.currency}"
    with st.container(horizontal=True, gap="small"):
        download.table(
            download.Table(NAME, lambda session: sheets(session)[0].months, filter=given), columns, key=key
        )
        statements.papers(
            NAME,
            given,
            lambda session: [yearly_statements.sheet(one) for one in sheets(session)],
            key=key,
        )


def _columns(each: Year) -> list[tables.Column]:
    def flow(wanted: Flow) -> Callable[[Month], object]:
        return lambda month: month.flow(wanted)

    return [
        tables.text("name", "Month"),
        tables.money("opening", "Opening balance"),
        *(tables.money(one.name.lower(), one.value, value=flow(one)) for one in each.columns),
        tables.money("closing", "Closing balance"),
    ]
