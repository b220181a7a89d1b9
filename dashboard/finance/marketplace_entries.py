"""What a figure of a marketplace's statement is made of, on screen: journals of a flow, or accounts of a balance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from urllib.parse import urlencode

from core.policy import Platform
from core.queries import marketplace_entries, yearly_statements
from core.queries.movements import DAY, Period
from core.queries.yearly_statements import Flow, Month, Year
from core.rules.periods import PeriodKind, span
from dashboard import navigation, request_context
from dashboard.finance.yearly_statements import CLOSING, OPENING
from dashboard.ui import cards, header, tables

MOST = 200  # accounts on screen: those with the largest balances
FLOWS: Mapping[str, Flow] = {flow.name.lower(): flow for flow in Flow}
OF: Mapping[str, str] = {
    OPENING: "Opening balance",
    **{key: flow.value for key, flow in FLOWS.items()},
    CLOSING: "Closing balance",
}
MONTHS: Mapping[str, str] = {str(number): f"{date(2000, number, 1):%B}" for number in range(1, 13)}
ENTRIES = [
    tables.opens("reference", "Journal", page="journal", value=lambda row: row.reference, width=90),
    tables.when("posted_at", "Posted", width=145),
    tables.text("what", "What", width=220),
    tables.money("amount", "Amount", width=140),
    tables.count("milestone_id", "Milestone", width=100),
    tables.text("memo", "Memo"),
]
ACCOUNTS = [
    tables.mono("id", "Account", width=220),
    tables.text("title", "Line", width=240),
    tables.money("amount", "Balance", width=140),
]


def way(platform: Platform, year: Year, month: Month | None, of: str) -> str:
    """The address of what a figure is made of."""
    asked = {**named(platform), "year": year.year, "currency": year.currency, "of": of}
    within = {"month": month.id.month} if month else {}
    return f"/marketplace_statement?{urlencode(asked | within)}"


def named(platform: Platform) -> Mapping[str, object]:
    """The page begins with the first marketplace, which has no name in the address."""
    return {} if platform is next(iter(Platform)) else {"platform": platform.value}


def show(platform: Platform, year: int, month: int | None, of: str, currency: str) -> None:
    first, last = date(year, month or 1, 1), span(PeriodKind.MONTH, date(year, month or 12, 1)).last
    navigation.link(
        "marketplace_statement",
        "The whole statement",
        icon=":material/arrow_back:",
        **named(platform),
        year=year,
    )
    name = f"{yearly_statements.named(platform)}, {currency}: {OF[of].lower()}"
    given = {"marketplace": platform.value, "currency": currency, "of": of}
    if of in FLOWS:
        _entries(platform, FLOWS[of], Period(first, last), currency, name, given)
    else:
        _accounts(platform, first - DAY if of == OPENING else last, currency, name, given)


def _entries(
    platform: Platform, flow: Flow, period: Period, currency: str, name: str, given: Mapping[str, object]
) -> None:
    cursor = tables.cursor("before", size=50)
    found = partial(
        marketplace_entries.entries, platform=platform, flow=flow, currency=currency, period=period
    )
    with request_context.reading() as session:
        rows = found(session, before=cursor.before, limit=cursor.limit)
    header.section(name, f"{period.words}, UTC, newest first. Above zero is theirs.")
    tables.table(
        rows,
        ENTRIES,
        key=f"entries-{currency}",
        cursor=cursor,
        download=tables.Table(
            "marketplace-entries",
            lambda session: found(session, limit=None),
            filter={**given, "from": period.first, "to": period.last},
        ),
        name=name,
        empty_state=("Nothing moved in that time", "Choose another month or figure."),
    )


def _accounts(platform: Platform, at: date, currency: str, name: str, given: Mapping[str, object]) -> None:
    found = partial(marketplace_entries.balances, platform=platform, currency=currency, at=at)
    with request_context.reading() as session:
        rows = found(session, limit=MOST)
    header.section(name, f"At the end of {at:%-d %b %Y}, UTC, the largest first. Above zero is theirs.")
    chosen = tables.table(
        rows,
        ACCOUNTS,
        key=f"balances-{currency}",
        select=True,
        download=tables.Table("marketplace-balances", found, filter={**given, "at": at}),
        name=name,
        empty_state=("Nothing stood then", "Choose another month or figure."),
    )
    if len(rows) == MOST:
        cards.note(f"The {MOST} with the largest balances; the file has all.")
    if chosen is not None:
        navigation.link(
            "account", f"Activity of {chosen}", icon=":material/menu_book:", code=chosen, iso=currency,
            until=at.isoformat(),
        )  # fmt: skip
