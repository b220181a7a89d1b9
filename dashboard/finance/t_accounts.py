"""T-accounts of a milestone, and a party's statement, on screen."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.queries import party_statements
from core.queries.party_statements import PartyStatement, TAccount, TAccountEntry
from dashboard.finance import statements
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.safe import html

COLUMNS = [
    tables.opens("journal_id", "Journal", page="journal", value=lambda row: f"J-{row.journal_id}", width=75),
    tables.when("posted_at", "Posted", width=140),
    tables.text("what", "What", width=180),
    tables.money("amount", "Amount", width=115),
    tables.money("balance", "Balance", width=115),
    tables.count("milestone_id", "Milestone", width=85),
]


def show(found: Sequence[TAccount]) -> None:
    with st.grid(columns=2, min_column_width=420, gap="small"):
        for each in found:
            with st.container(border=True, gap="small"):
                st.html(_t(each))


def _t(each: TAccount) -> str:
    rows = []
    for n in range(max(len(each.debits), len(each.credits))):
        left = _cells(each.debits[n] if n < len(each.debits) else None)
        rows.append(f"<tr>{left}{_cells(each.credits[n] if n < len(each.credits) else None)}</tr>")
    way = f"/account?code={each.code}&iso={each.currency}"
    return (
        f'<table class="ed-statement" aria-label="{html(each.code)}"><thead><tr><th colspan="4">'
        f'<a href="{html(way)}" target="_self">{html(each.title)}</a> · {html(each.code)}</th></tr>'
        "<tr><th>Debit</th><th></th><th>Credit</th><th></th></tr></thead>"
        f'<tbody>{"".join(rows)}<tr class="ed-sum"><td colspan="3">Balance</td>'
        f'<td class="ed-num">{html(each.balance.text())}</td></tr></tbody></table>'
    )


def _cells(entry: TAccountEntry | None) -> str:
    if entry is None:
        return "<td></td><td></td>"
    way, tip = f"/journal?id={entry.journal_id}", html(f"{entry.what}, {deadlines.day(entry.posted_at)}")
    return (
        f'<td><a href="{way}" target="_self" title="{tip}">J-{entry.journal_id}</a></td>'
        f'<td class="ed-num">{html(abs(entry.amount).text())}</td>'
    )


def statement(each: PartyStatement) -> None:
    header.section(f"{each.name}, {each.currency}", f"{each.role.capitalize()}, {each.period.words}, UTC")
    cards.facts({"Opening balance": each.opening, "Closing balance": each.closing}, columns=2)
    given = {"party": each.party_id, "currency": each.currency, "month": f"{each.period.first:%Y-%m}"}
    key = f"statement-{each.party_id}-{each.currency}"
    tables.table(
        each.movements,
        COLUMNS,
        key=key,
        download=tables.Table("statement-of", lambda session: each.movements, filter=given),
        name=f"Movements in {each.currency}",
        empty_state=("Nothing moved in that month", "The balance stood."),
    )
    with st.container(horizontal=True, gap="small"):
        statements.papers("statement-of", given, lambda session: [party_statements.sheet(each)], key=key)
