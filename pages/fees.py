"""Fees: what was earned, what the processor took, and what is left."""

from __future__ import annotations

import streamlit as st

from core.ledger import accounts
from core.money import shown_order
from core.queries import fees
from core.queries.fee_breakdown import FeeBy
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import fees as earnings
from dashboard.ui import empty, filters, header

request_context.require(Permission.READ_LEDGER)
now = request_context.now()
header.page(
    "Fees", "Booked when earned, by the desk's clock, UTC. Processing fees are what Stripe really took."
)
bar = filters.bar()
with bar:
    since, until = filters.period(now, default="90")
    names = {"month": "By month", **{each.value: f"By {each.value}" for each in FeeBy}}
    names |= {"platform": "By marketplace"}
    names |= {"payment_method": "By payment method", "method": "By payout method"}
    by = filters.choice("Shown", names, key="by", everything="By day")
step = fees.FeeInterval.MONTH if by == "month" else fees.FeeInterval.DAY

with request_context.reading() as session:
    found = fees.periods(session, since=since, until=until, step=step)
if not found:
    empty.state("No fees in this time", "Choose a longer period.", icon="percent")
    navigation.end()
currencies = sorted(found, key=shown_order)
with bar:
    chosen = filters.choice(
        "Currency", {each: each for each in currencies[1:]}, key="currency", everything=currencies[0]
    )
currency = chosen if chosen in found else currencies[0]
periods = found[currency]

earnings.figures(fees.total(periods, currency))
with st.container(horizontal=True, gap="medium"):
    for line in (
        accounts.PLATFORM_FEE_REVENUE,
        accounts.PROCESSING_FEE_RECOVERY,
        accounts.WITHDRAWAL_FEE_REVENUE,
        accounts.PROCESSOR_FEES,
        accounts.FEE_VARIANCE,
    ):
        title = accounts.CHART[line].title
        navigation.link("account", title, icon=":material/menu_book:", code=line, iso=currency)
header.section(f"In {currency}", "Above the line what came in, below it what went out.")
if by and by != "month":
    earnings.breakdown(FeeBy(by), currency, since=since, until=until)
    navigation.end()
every = fees.filled(periods, currency, since=since, until=until, step=step)
earnings.chart(earnings.names(every, step), every)
earnings.trend(every)
earnings.table(periods, step, currency, since=since, until=until)
