"""The finance landing page: where the money is, and what needs a person."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from core.queries import (
    breaks,
    chargebacks,
    cover,
    fees,
    held_funds,
    holds,
    journals,
    letters,
    oldest_waiting,
    operations,
    overview,
    payout_calendar,
    payouts,
    receivables,
    reconciliation,
)
from core.queries import client_funds as funds
from core.queries import periods as books_closed
from core.rules.permissions import Permission
from dashboard import masks, request_context
from dashboard.compliance import check_runs, outside_alarm, team_emergency, team_roles
from dashboard.finance import client_funds, figures, overview_cards, paused_requests, proposals_waiting
from dashboard.finance import cover as covered
from dashboard.finance import held_funds as held
from dashboard.ui import header

request_context.require(Permission.READ_LEDGER)
now = request_context.now()
month = datetime(now.year, now.month, 1, tzinfo=UTC)

with request_context.reading() as session:
    totals = overview.totals(session)
    looks = funds.latest(session)
    aged = overview.oldest(session)
    ages = held_funds.ageing(session, now=now)
    alarms = overview.alarms(session, now=now)
    covers = cover.positions(session, funds.funds(session, now=now), now=now)
    due = payout_calendar.calendar(session, now=now)
    by_month = fees.periods(session, since=covered.year_before(month), until=now, step=fees.FeeInterval.MONTH)
    counts = payouts.by_status(session)
    calls = operations.counts(session)
    reconciled = reconciliation.status(session)
    differing = breaks.open_breaks(session, now=now)
    to_answer = chargebacks.to_answer(session)
    stuck = operations.waits_for_money(session)
    undelivered = letters.not_delivered(session, now=now)
    given_up = operations.events_given_up(session)
    waiting = oldest_waiting.oldest(session, now=now)
    to_close = books_closed.next_due(session)
    latest = journals.page(session, journals.JournalFilter(), limit=6)
    owed = receivables.totals(receivables.debts(session, now=now))
    held_up = holds.figures(session, now=now)

with header.page("Overview", f"Held funds, what is owed and what was earned, {now:%-d %b %Y}, UTC"):
    check_runs.line(nightly := check_runs.read())
paused_requests.alarm()
overview_cards.alarm(aged, alarms)
overview_cards.bank_alarm(to_answer, now)
overview_cards.short_of_money(stuck)
overview_cards.letters_alarm(undelivered)
overview_cards.events_alarm(given_up)
overview_cards.stuck_alarm(waiting, now)
overview_cards.close_alarm(to_close, now)
outside_alarm.show()
check_runs.alarm(nightly)
team_roles.alone_alarm()
team_emergency.alarm()
masks.alarm()
covered.positions(covers, now)
overview_cards.money_row(totals, fees.of_month(by_month, month.date()), f"{now:%B}")
overview_cards.watch_row(counts, calls, reconciled, aged, alarms, differing, now=now)
overview_cards.owed_and_stopped(owed, held_up, to_answer, now)

client_funds.panel(now)
proposals_waiting.show()

figures.balance(totals, looks, now)

header.section("Client funds held, by marketplace and age", "A row opens its milestones.")
held.ageing(ages)

chosen = held.last_days([each.currency for each in totals], now)
if chosen:
    covered.ahead_and_behind(due, by_month, chosen, now)

with st.grid(columns=2, min_column_width=520, gap="medium"):
    with st.container(gap="small"):
        header.section("Held longest", "The alarm is raised when the age in the policy is reached.")
        overview_cards.held_longest(aged, now)
    with st.container(gap="small"):
        overview_cards.latest_journals(latest)
