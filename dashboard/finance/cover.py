"""The Overview begins with covered or short by currency; below it, what goes out when and the take rate by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import zip_longest

import streamlit as st

from core.ledger.accounts import STRIPE_BALANCE
from core.money import Money
from core.queries.cover import Position
from core.queries.fees import FeeInterval, FeePeriod, filled
from core.queries.payout_calendar import Calendar, DueDay
from core.rules.client_funds import Cover
from dashboard import navigation
from dashboard.finance.client_funds import COVERS
from dashboard.ui import charts, deadlines, header, tables
from dashboard.ui.safe import html

TONES = {Cover.COVERED: "good", Cover.SHORT: "bad", Cover.UNKNOWN: "wait"}
HEADS = ("Owed to others", "At Stripe, by Stripe", "At our bank, by the bank", "Owed, since yesterday")


def positions(rows: Sequence[Position], now: datetime) -> None:
    """A line a currency, its verdict first; whose figure each is, and of when, stands under it."""
    if not rows:
        return
    heads = "".join(f'<th class="ed-money">{html(each)}</th>' for each in HEADS)
    body = "".join(_position(each, now) for each in rows)
    st.html(
        '<div class="ed-wide"><table class="ed-table" aria-label="Covered by currency"><thead><tr><th>Currency</th>'
        f"<th>Cover</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _position(row: Position, now: datetime) -> str:
    look, tone = row.look, TONES[row.cover]
    stripe = (look.at_stripe.text(), deadlines.ago(look.at, now)) if look else ("—", "never read")
    bank = (row.at_bank.text(), until(row.bank_until, now)) if row.at_bank else ("—", "no statement")
    booked = not row.owed.is_zero
    ways = (
        f"/trial_balance?currency={row.currency}" if booked else None,
        f"/account?code={STRIPE_BALANCE}&iso={row.currency}" if look and booked else None,
        "/bank_statements" if row.at_bank else None,
    )
    short = f"{look.short.text()} missing" if look and row.cover is Cover.SHORT else ""
    cells = ((row.owed.text(), short), stripe, bank, (_signed(row.since_yesterday), ""))
    return (
        f'<tr><td><b>{html(row.currency)}</b></td><td><span class="ed-pill ed-{tone}">{COVERS[row.cover]}</span></td>'
        + "".join(
            f'<td class="ed-money">{_leads(figure, way)}{_note(note)}</td>'
            for (figure, note), way in zip_longest(cells, ways)
        )
        + "</tr>"
    )


def _leads(figure: str, way: str | None) -> str:
    """A figure, as the way to what it is made of."""
    return f'<a href="{html(way)}" target="_self">{html(figure)}</a>' if way else html(figure)


def until(day: date | None, now: datetime) -> str:
    if day is None:
        return ""
    year = "" if day.year == now.year else f" {day.year}"
    return f"end of {day:%-d %b}{year}"


def _note(words: str) -> str:
    return f'<div class="ed-note">{html(words)}</div>' if words else ""


def _signed(amount: Money) -> str:
    if amount.is_zero:
        return "No change"
    return f"+{amount.text()}" if amount.is_positive else amount.text()


def year_before(month: datetime) -> datetime:
    """The first of twelve months, the last of which this is."""
    return (month - timedelta(days=334)).replace(day=1)


def ahead_and_behind(
    due: Calendar, by_month: Mapping[str, Sequence[FeePeriod]], currency: str, now: datetime
) -> None:
    """What goes out in the next two weeks, beside the take rate of the last twelve months."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with st.grid(columns=2, min_column_width=420, gap="medium"):
        with st.container(gap="xsmall"):
            calendar(due, currency)
        with st.container(gap="xsmall"):
            take_rate(by_month, currency, year_before(month), now)


def calendar(found: Calendar, currency: str) -> None:
    """Two weeks of one currency as bars, none left out, and the days with anything due in every currency."""
    header.section(
        "Payout calendar",
        f"Payouts and refunds due to leave Stripe in the next {len(found.days)} days, UTC. Holds, cases and reviews "
        "are not looked at; Payouts says of today and tomorrow what stops what.",
    )
    busy = [each for each in found.days if each.number]
    if not busy:
        st.caption("Nothing is due.")
        return
    charts.bars(
        [each.day for each in found.days],
        {f"Due in {currency}": [each.of(currency) for each in found.days]},
        key="payout-calendar",
        height=180,
        alt=f"What is due to leave Stripe by day, in {currency}; the table has every currency.",
    )
    tables.small([*busy], _columns(found), name="Payout calendar")
    navigation.link(
        "payouts",
        "Today and tomorrow, one by one",
        icon=":material/arrow_forward:",
        **{"payouts-tab": "Ahead"},
    )


def _columns(found: Calendar) -> list[tables.Column]:
    return [
        tables.text("day", "Day", value=_day),
        tables.count("number", "Payouts and refunds"),
        *(
            tables.money(f"due-{each}", each, value=lambda row, each=each: row.amounts.get(each))
            for each in found.currencies
        ),
    ]


def _day(row: DueDay) -> str:
    return f"{row.day:%a %-d %b}"


def take_rate(
    by_currency: Mapping[str, Sequence[FeePeriod]], currency: str, since: datetime, now: datetime
) -> None:
    """What the platform earned of what was released, month by month, none left out."""
    months = filled(by_currency.get(currency, ()), currency, since=since, until=now, step=FeeInterval.MONTH)
    header.section("Fee trend", f"Platform fees earned and the take rate, by month, in {currency}.")
    charts.bars(
        [f"{each.begins:%b %Y}" for each in months],
        {"Platform fees": [each.platform for each in months]},
        key="fee-trend",
        height=180,
        alt="Platform fees earned by month; the table below has the take rate as well.",
    )
    tables.small(
        list(reversed(months[-6:])),
        [
            tables.text("month", "Month", value=lambda row: f"{row.begins:%b %Y}"),
            tables.money("platform", "Platform fees"),
            tables.money("released", "Released to payees"),
            tables.text("take_rate", "Take rate"),
        ],
        name="Take rate by month",
    )
    navigation.link("fees", "Fees", icon=":material/arrow_forward:", step="month")
