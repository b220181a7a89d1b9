"""Client funds held on screen: their ageing, milestone by milestone, and how they moved day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from core.queries import held_funds
from core.queries.held_funds import AgeingRow, Day
from core.rules.held_age import STEPS, HeldAge
from dashboard import navigation, request_context
from dashboard.ui import charts, deadlines, filters, header, tables
from dashboard.ui.status import in_words

SHOWN = 90  # days
AGES: Mapping[str, str] = {
    HeldAge.NEW.value: f"Up to {STEPS[0]} days",
    HeldAge.OVER_30.value: f"{STEPS[0]} to {STEPS[1]} days",
    HeldAge.OVER_60.value: f"Over {STEPS[1]} days",
    HeldAge.ALARM.value: "Beyond the alarm",
}


def columns(now: datetime) -> list[Any]:
    return [
        tables.text("milestone", "Milestone", value=lambda row: f"M-{row.id} · {row.milestone}"),
        tables.money("held", "Held", width=120),
        tables.text("since", "Held for", value=lambda row: deadlines.span(now - row.since), width=100),
        tables.due("alarm_at", "Alarm", now=now, width=120),
        tables.status("status", "Status", axis="milestone", width=130),
        tables.text("project", "Project"),
        tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform), width=130),
        tables.text("parties", "Payer · payee", value=lambda row: f"{row.payer} · {row.payee}"),
    ]


FILE = [
    tables.text("id", "Milestone number"),
    tables.text("milestone", "Milestone"),
    tables.text("project_id", "Project number"),
    tables.text("project", "Project"),
    tables.text("platform", "Marketplace"),
    tables.text("payer", "Payer"),
    tables.text("payee", "Payee"),
    tables.status("status", "Status", axis="milestone"),
    tables.money("held", "Held"),
    tables.when("since", "Held since"),
    tables.when("alarm_at", "Alarm"),
    tables.mono("account", "Account"),
]


def ageing(rows: Sequence[AgeingRow]) -> None:
    """Who holds how much for how long; a row opens its milestones."""
    picked = tables.table(
        rows,
        [
            tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform)),
            tables.text("currency", "Currency", width=80),
            *(_aged(age) for age in HeldAge),
            tables.money("total", "Total", width=130),
            tables.count("milestones", "Milestones", width=90),
        ],
        key="ageing",
        select=True,
        download=tables.Table("client-funds-by-age", lambda session: rows),
        name="Client funds held, by marketplace and age",
        empty_state=("Nothing is held", "When a payer funds a milestone, its money shows here."),
    )
    if picked is not None:
        st.session_state.pop("ageing:chosen", None)
        platform, _, currency = str(picked).partition(":")
        navigation.go("held_funds", platform=platform, currency=currency)


def _aged(age: HeldAge) -> Any:
    return tables.money(age.value, AGES[age], value=lambda row: row.of(age), width=130)


def last_days(currencies: Sequence[str], now: datetime) -> str | None:
    """The last 90 days of one currency, as charts and as a table; which one was chosen."""
    if not currencies:
        return None
    header.section("The last 90 days", "From the ledger, by day, UTC.")
    others = {each: each for each in currencies[1:]}
    currency = filters.choice("Currency", others, key="cash", everything=currencies[0]) or currencies[0]
    first, last = now.date() - timedelta(days=SHOWN - 1), now.date()
    with request_context.reading() as session:
        found = held_funds.days(session, currency, first=first, last=last)
    trends(found)
    daily(found, currency)
    return currency


def trends(days: Sequence[Day]) -> None:
    """What was held at the end of each day, and what came in and left."""
    shown = [each.day for each in days]
    with st.grid(columns=2, min_column_width=420, gap="medium"):
        with st.container(gap="xsmall"):
            st.markdown("**Held and at Stripe, at the end of each day**")
            charts.lines(
                shown,
                {
                    "Client funds held": [each.held for each in days],
                    "Cash at Stripe": [each.at_stripe for each in days],
                },
                key="held-over-time",
                alt="Client funds held and cash at Stripe by day; the table of daily figures can be downloaded.",
            )
        with st.container(gap="xsmall"):
            st.markdown("**Cash in and out at Stripe, by day**")
            charts.bars(
                shown,
                {"In": [each.came_in for each in days], "Out": [-each.went_out for each in days]},
                key="cash-in-and-out",
                alt="Cash that came in and left Stripe by day; the table of daily figures can be downloaded.",
            )


def daily(days: Sequence[Day], currency: str) -> None:
    """The figures of the charts, newest first; each day opens its journals."""
    newest = list(reversed(days))
    picked = tables.table(
        newest,
        [
            tables.day("day", "Day", width=120),
            tables.money("held", "Client funds held"),
            tables.money("at_stripe", "Cash at Stripe"),
            tables.money("came_in", "In"),
            tables.money("went_out", "Out"),
        ],
        key=f"daily-{currency}",
        id="day",
        select=True,
        height=280,
        download=tables.Table("daily-cash", lambda session: newest, filter={"currency": currency}),
        name="Daily figures",
    )
    if picked is not None:
        st.session_state.pop(f"daily-{currency}:chosen", None)
        navigation.go("account", code="stripe_balance", iso=currency, days=[picked, picked])
