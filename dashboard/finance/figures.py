"""Figures that lead down to what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from core.money import Money
from core.queries import overview
from core.queries.overview import AccountAmount, CurrencyTotals
from core.rules.client_funds import Look
from dashboard import navigation
from dashboard.ui import cards, deadlines, empty, header, money, tables
from dashboard.ui.safe import html, plain
from dashboard.ui.status import Tone

HEAD = "display:flex;justify-content:space-between;gap:12px"


def balance(found: Sequence[CurrencyTotals], looks: Mapping[str, Look], now: datetime) -> None:
    """What the balance at Stripe is made of, a card a currency."""
    header.section(
        "What the balance at Stripe is made of",
        "The parts are the ledger's; beside its sum stands Stripe's own figure as of when it was read. The platform's "
        "own funds come last: a sum of accounts, which opens.",
    )
    if not found:
        empty.state(
            "No money yet", "When the first payer funds a milestone, its money shows here.", icon="savings"
        )
    with st.grid(columns=2, min_column_width=420, gap="small"):
        for each in found:
            totals(each, looks.get(each.currency), now)


def totals(each: CurrencyTotals, look: Look | None, now: datetime) -> None:
    """What the balance at Stripe is made of: what is owed to others, and what is the platform's own. Stripe's own
    figure stands beside the ledger's, with its time."""
    every: list[tuple[str, Money, Tone]] = [
        ("Client funds held", each.held, "info"),
        ("Payee payables", each.payable, "good"),
        ("Refunds payable", each.refundable, "wait"),
        ("Deferred platform fees", each.deferred, "info"),
        ("Unapplied or unexplained", each.other, "bad"),
    ]
    parts = [part for part in every if part[1].is_positive]
    if each.covered:
        parts.append(("The platform's own funds", each.own, "quiet"))
        caption = ""
    else:
        caption = f"By the ledger, {(-each.own).text()} is missing at Stripe to pay everyone today. "
    if each.at_banks.is_positive:
        caption += (
            f"{each.at_banks.text()} of what is owed is not at Stripe but with payers' banks, in open chargebacks: "
            f"with it, the parts come to {(each.at_stripe + each.at_banks).text()}."
        )
    if each.missing.is_positive:
        caption += (
            f" In suspense, {each.missing.text()} went out and {each.unexplained.text()} came in without an "
            "explanation. What went out is taken from the platform's own funds until it is explained."
        )
    with st.container(border=True, gap="small"):
        st.html(
            f'<div style="{HEAD}"><b style="font-weight:600">{html(each.currency)}</b>'
            f'<span class="ed-money"><span style="color:var(--ed-dim)">Ledger:</span> {html(each.at_stripe.text())} '
            '<span style="color:var(--ed-dim)">at Stripe</span></span></div>'
            f'<div class="ed-note" style="text-align:right">{html(_by_stripe(look, now))}</div>'
        )
        money.split(parts, caption=caption.strip())
        _own(each)
        with st.container(horizontal=True, gap="medium"):
            navigation.link(
                "trial_balance", "Trial balance", icon=":material/account_balance:", currency=each.currency
            )
            navigation.link(
                "account",
                "Activity at Stripe",
                icon=":material/menu_book:",
                code="stripe_balance",
                iso=each.currency,
            )


def _own(each: CurrencyTotals) -> None:
    """The platform's own at Stripe, account by account."""
    with st.expander(f"The platform’s own, by account: {plain(each.own.text())}", key=f"own-{each.currency}"):
        tables.table(
            each.own_by_account,
            [
                tables.text("number", "No.", value=lambda row: str(row.number), width=60),
                tables.leads(
                    "title",
                    "Account",
                    to=lambda row: ("trial_balance", {"line": row.name, "currency": each.currency}),
                ),
                tables.money("amount", "Amount", width=130),
            ],
            key=f"own-{each.currency}-table",
            id="name",
            download=tables.Table("own-funds", lambda session: _own_again(session, each.currency)),
            name=f"The platform's own in {each.currency}, by account",
            empty_state=("Nothing of its own", "Equity, income and expenses are all zero."),
        )
        cards.note(
            "Equity, income and expenses, less what of it lies elsewhere: at our bank, on the way, "
            "in Stripe's reserve, or owed to us."
        )


def _own_again(session: Session, currency: str) -> Sequence[AccountAmount]:
    return next((one.own_by_account for one in overview.totals(session) if one.currency == currency), ())


def _by_stripe(look: Look | None, now: datetime) -> str:
    if look is None:
        return "Stripe’s own figure was never read"
    return f"Stripe: {look.at_stripe.text()}, read {deadlines.ago(look.at, now)}, {deadlines.exact(look.at)}"


def way_up(label: str) -> None:
    """From one thing to the list that it stands in, on the same page."""
    st.button(label, key="way-up", type="tertiary", icon=":material/arrow_back:", on_click=_leave)


def _leave() -> None:
    st.query_params.clear()
