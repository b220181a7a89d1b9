"""One line of the chart beside the trial balance: its one account, or its accounts as they stood."""

from __future__ import annotations

from datetime import date

from core.ledger.accounts import CHART
from core.queries import ledger
from dashboard import navigation, request_context
from dashboard.finance import books
from dashboard.ui import filters, header, tables


def show(line: str, currency: str, at: date | None) -> None:
    """A line of the chart: the way to its one account, or its accounts as they stood."""
    if CHART[line].per is None:
        header.section(CHART[line].title, "One account")
        navigation.link(
            "account",
            "Open its activity",
            icon=":material/menu_book:",
            code=line,
            iso=currency,
            **books.until(at),
        )
        navigation.end()
    header.section(CHART[line].title, f"At the end of {at:%-d %b %Y}, newest first" if at else "Newest first")
    everything = filters.toggle("Show zero balances", key="everything")
    cursor = tables.cursor("before", size=50)
    with request_context.reading() as session:
        rows = ledger.accounts_of(
            session,
            line,
            currency,
            before=cursor.before,
            limit=cursor.limit,
            everything=everything,
            at=at,
        )
    books.open_account(
        rows,
        currency,
        at=at,
        columns=books.accounts(rows),
        key=f"accounts-{line}-{currency}",
        cursor=cursor,
        download=tables.Table(
            "accounts",
            books.accounts_in(line, currency, everything=everything, at=at),
            filter={"line": line, "currency": currency, "at": at, "zero-balances": everything},
            columns=books.ACCOUNTS_FILE,
        ),
        empty_state=("Nothing on these accounts", "Everything was paid out or sent back."),
    )
