"""The platform's own bank accounts: until when each was imported, what is missing, and how one is registered."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.bank_statements import accounts as actions
from core.money import CURRENCIES
from core.queries import bank_statements
from core.queries.bank_statements import Account
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import confirm, empty, header, tables

COLUMNS = [
    tables.text("name", "Bank account", width=245),
    tables.money("balance", "Closing balance", width=140),
    tables.day("until", "Imported until", width=110),
    tables.text("said", "To look at", width=160),
    tables.count("statements", "Statements", width=86),
    tables.mono("code", "Code", width=108),
    tables.mono("identifier", "IBAN or number", width=245),
]


def show(accounts: Sequence[Account]) -> None:
    """Every account. What is missing between statements is said above it."""
    if not accounts:
        able = request_context.may(Permission.IMPORT_STATEMENTS)
        what_next = (
            "Register one under Import." if able else "Finance registers one, and imports its statements."
        )
        empty.state("No bank account yet", what_next, icon="account_balance")
        return
    for each in accounts:
        if each.gaps:
            st.warning(
                f"{each.name}: {each.said} Import it, so that nothing is left out.", icon=":material/warning:"
            )
    tables.table(
        accounts,
        COLUMNS,
        key="bank-accounts",
        download=tables.Table(
            "bank-accounts", lambda session: iter(bank_statements.accounts(session)), columns=COLUMNS
        ),
        name="Bank accounts",
    )


def change(accounts: Sequence[Account]) -> None:
    header.section("Bank accounts", "one for each currency, as in the ledger")
    free = sorted(set(CURRENCIES) - {each.currency for each in accounts})
    if free:
        _register(free)
    if accounts:
        _correct(accounts)


def _register(free: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        currency = st.selectbox("Currency", free, key="bank-currency", width=110)
        code = st.text_input("Code", key="bank-code", max_chars=40, placeholder="main-eur", width=150)
        name = st.text_input("Name", key="bank-name", max_chars=120, width=220)
        identifier = st.text_input("IBAN or account number", key="bank-identifier", max_chars=60, width=260)
        intent = confirm.pressed("Register", key="bank-register", icon=":material/add:", type="secondary")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.register(
                session,
                actor,
                now=now,
                code=code.strip(),
                name=name,
                currency=str(currency),
                identifier=identifier,
            ),
            done=f"The bank account in {currency} is registered.",
        )


def _correct(accounts: Sequence[Account]) -> None:
    by_code = {each.code: each for each in accounts}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        code = st.selectbox("Correct", list(by_code), key="bank-correct", width=150)
        chosen = by_code[str(code)]
        name = st.text_input("Name", value=chosen.name, key=f"bank-name:{code}", max_chars=120, width=220)
        identifier = st.text_input(
            "IBAN or account number",
            value=chosen.identifier,
            key=f"bank-identifier:{code}",
            max_chars=60,
            width=260,
        )
        intent = confirm.pressed("Save", key="bank-save", icon=":material/save:", type="secondary")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.correct(
                session, actor, now=now, code=chosen.code, name=name, identifier=identifier
            ),
            done=f"{chosen.code} is corrected.",
        )
