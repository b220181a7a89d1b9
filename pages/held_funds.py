"""Client funds held, milestone by milestone, the longest first."""

from __future__ import annotations

import streamlit as st

from core.ledger import accounts
from core.policy import Platform
from core.queries import held_funds
from core.queries.held_funds import HeldFilter
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import held_funds as held
from dashboard.ui import filters, header, tables
from dashboard.ui.status import in_words

request_context.require(Permission.READ_LEDGER)
now = request_context.now()

header.page(
    "Client funds held",
    "Money of payers for work that is not settled, milestone by milestone, the longest first.",
    back=("overview", "Overview"),
)
with filters.bar():
    platform = filters.one_of(
        "Both marketplaces",
        {each.value: in_words(each.value) for each in Platform},
        key="platform",
        width=170,
    )
    currency = filters.one_of(
        "Every currency", {each: each for each in accounts.ISO_NUMBERS}, key="currency", width=150
    )
    age = filters.one_of("Every age", held.AGES, key="age", width=150)
wanted = HeldFilter(platform=platform, currency=currency, age=age)
window = tables.window("page", depends=(platform, currency, age), bound=held_funds.BOUND)
with request_context.reading() as session:
    total = held_funds.count(session, wanted, now=now)
    rows = held_funds.page(session, wanted, now=now, offset=window.offset, limit=window.size)

picked = tables.table(
    rows,
    held.columns(now),
    key="held",
    select=True,
    window=window,
    total=total,
    download=tables.Table(
        "client-funds-held",
        lambda session: tables.through(
            lambda offset, limit: held_funds.page(session, wanted, now=now, offset=offset, limit=limit)
        ),
        filter={"platform": platform, "currency": currency, "age": age},
        columns=held.FILE,
    ),
    name="Client funds held",
    empty_state=None
    if platform or currency or age
    else ("Nothing is held", "When a payer funds a milestone, its money shows here."),
)
if picked is not None:
    st.session_state.pop("held:chosen", None)
    row = next(each for each in rows if each.id == picked)
    navigation.go("account", code=row.account, iso=row.held.currency)
