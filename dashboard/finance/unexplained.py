"""Unexplained money on screen, and the person who says what it was."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions import suspense
from core.queries.suspense import Item
from core.rules.permissions import Permission
from core.rules.suspense import SettledAs
from dashboard import current
from dashboard.ui import cards, confirm, header, tables

COLUMNS = [
    tables.text("label", "Amount", width=160),
    tables.mono("transaction_id", "Balance transaction", width=240),
    tables.mono("source", "Source", width=230),
    tables.when("found_at", "Found", width=150),
]
WORDS = {
    SettledAs.OWN_MONEY: "The platform's own money",
    SettledAs.PROCESSOR_FEE: "A fee of Stripe's",
    SettledAs.CONCESSION: "Given to a customer by hand",
    SettledAs.EACH_OTHER: "They cancel each other out",
}


def show(items: Sequence[Item]) -> None:
    """Nothing at all when everything is explained."""
    if not items:
        return
    header.section("Unexplained money", "Lines of Stripe's that nothing on the desk has caused.")
    tables.table(items, COLUMNS, key="suspense", name="Unexplained money")
    if current.may(Permission.SETTLE_SUSPENSE):
        with cards.panel("suspense-panel"):
            _form(items)


def _form(items: Sequence[Item]) -> None:
    names = {each.id: each.label for each in items}
    chosen = st.multiselect("Settle", list(names), format_func=names.__getitem__, key="suspense-items")
    settled_as = st.selectbox("What it was", list(WORDS), format_func=WORDS.__getitem__, key="suspense-as")
    reason = st.text_input("Reason, for the audit log", key="suspense-reason", max_chars=300)
    intent = confirm.pressed(
        "Settle", key="suspense-settle", money=True, disabled=not chosen or not (reason or "").strip()
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: suspense.settle(
                session, actor, now=now, item_ids=chosen, settled_as=settled_as, reason=reason
            ),
            done="Settled.",
        )
