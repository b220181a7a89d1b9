"""Recurring bank charges: what the saved rules recognise, submitted with one click but for what is left out,
and the rules themselves."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.reconciliation import bank_charge_rules as actions
from core.errors import DeskError
from core.money import Money
from core.queries import bank_charge_rules as queries
from core.queries import bank_statements
from core.queries.bank_charge_rules import BankChargeRuleRow, RecognisedLine
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, errors, header, tables

LINES = [
    tables.leads(
        "reference", "Break", to=lambda each: ("reconciliation", {"break": each.break_id}), width=70
    ),
    tables.money("amount", "Amount", width=120),
    tables.day("booked_on", "At the bank", width=110),
    tables.text("words", "Text", width=240),
    tables.text("reason", "Recognised by", width=420),
]
RULES = [
    tables.text("id", "Rule"),
    tables.text("account", "Bank account"),
    tables.text("words", "The text contains"),
    tables.money("most", "Up to"),
    tables.text("made_by", "Saved by"),
]


def section() -> None:
    """What the rules propose now; the rules are for whoever may explain amounts."""
    with request_context.reading() as session:
        found, rules = queries.recognised(session), queries.in_force(session)
    may = request_context.may(Permission.SETTLE_SUSPENSE)
    if found:
        _proposed(found, may)
    if may:
        with st.expander(f"Rules for bank charges ({len(rules)})", key="bank-charge-rules"):
            _rules(rules)


def _proposed(found: Sequence[RecognisedLine], may: bool) -> None:
    more = f"The first {len(found)}. " if len(found) == queries.SHOWN else ""
    header.section(
        f"Bank charges by rule ({len(found)})",
        f"{more}A rule books nothing: one person submits them as bank charges, another approves.",
    )
    with cards.panel("bank-charges-proposed"):
        tables.table(
            found,
            LINES,
            key="bank-charges",
            id="line_id",
            download=tables.Table("bank-charges-by-rule", queries.recognised),
            name="Bank charges by rule",
        )
        if not may:
            return
        lines = _chosen(found)
        if intent := confirm.pressed(
            _label(len(lines), len(found)),
            key=f"bank-charges-{'-'.join(str(each.line_id) for each in found[:8])}",
            disabled=not lines,
        ):
            confirm.carry_out(
                intent,
                lambda session, actor, now: actions.submit(session, actor, now=now, line_ids=lines),
                done="Submitted. They are booked as bank charges when someone else approves.",
            )


def _chosen(found: Sequence[RecognisedLine]) -> list[int]:
    """All of them, but for what is left out: a rule can recognise what is no charge."""
    if len(found) < 2:
        return [each.line_id for each in found]
    named = {each.line_id: f"{each.reference} · {each.amount.text()} · {each.booked_on}" for each in found}
    left_out = st.multiselect(
        "Leave out",
        list(named),
        format_func=named.__getitem__,
        placeholder="None: all of them are submitted",
        key="bank-charges-left-out",
        help="What you leave out stays an open break, to be matched or explained by itself.",
    )
    return [number for number in named if number not in left_out]


def _label(chosen: int, found: int) -> str:
    if found == 1:
        return "Submit it for approval"
    return (
        f"Submit all {found} for approval" if chosen == found else f"Submit {chosen} of {found} for approval"
    )


def _rules(rules: Sequence[BankChargeRuleRow]) -> None:
    if rules:
        tables.small(rules, RULES, name="Rules for bank charges")
        _end(rules)
    with request_context.reading() as session:
        accounts = bank_statements.accounts(session)
    if not accounts:
        cards.note("Register a bank account first, on the page Bank statements.")
        return
    by_id = {each.id: each for each in accounts}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            "Bank account", list(by_id), format_func=lambda number: by_id[number].name, key="rule-account", width=260
        )  # fmt: skip
        words = st.text_input("The text contains", key="rule-words", max_chars=80, width=240)
        typed = st.text_input("Up to", key="rule-most", placeholder="0.00", width=110)
        intent = confirm.pressed("Save rule", key="rule-save", icon=":material/add:", type="secondary")
    if intent:
        try:
            most = Money.parse(typed, by_id[chosen].currency)
        except DeskError as unreadable:
            errors.show(unreadable)
            return
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.save(
                session, actor, now=now, account_id=chosen, words=words, most=most
            ),
            done="Saved. It recognises the open lines of that account, and those to come.",
        )


def _end(rules: Sequence[BankChargeRuleRow]) -> None:
    by_id = {each.id: each for each in rules}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            "Rule", list(by_id), format_func=lambda number: by_id[number].said, key="rule-chosen", width=420
        )
        intent = confirm.pressed("End rule", key=f"rule-end-{chosen}", type="secondary")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.end(session, actor, now=now, rule_id=chosen),
            done="Ended. It recognises nothing any more.",
        )
