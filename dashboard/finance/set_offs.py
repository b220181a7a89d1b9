"""Setting off by hand, on screen: what of a debt can be settled from the payee's money that is still with us."""

from __future__ import annotations

import streamlit as st

from core.actions.debts import set_offs
from core.queries import set_offs as queries
from core.queries.set_offs import SetOff
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance.suspense import LEGS
from dashboard.ui import cards, confirm, reasons, tables, text_fields

ROWS = [
    tables.text("reference", "Milestone", width=90),
    tables.money("amount", "With us", width=110),
    tables.money("taken", "Set off", width=110),
    tables.money("left", "Left to be paid", width=120),
    tables.text("milestone", "Title", width=200),
    tables.text("why_not", "What stops it", width=240),
]


def panel(party_id: int, currency: str) -> None:
    """The money that waits, the entry, what remains of both, and the button; a sentence where there is nothing, and
    nothing at all where nothing is owed."""
    if not request_context.may(Permission.SET_OFF_DEBT):
        return
    with request_context.reading() as session:
        plan = queries.of_payee(session, party_id, currency)
    if plan.owed.is_zero:
        return
    if not plan.rows:
        cards.note(f"Nothing can be set off now. {plan.why_nothing}")
        return
    with st.expander("Set off now", key=f"set-off-{party_id}-{currency}"):
        tables.small(plan.rows, ROWS, name="Money that is payable and with us")
        if plan.total.is_zero:
            cards.note(plan.why_nothing)
            return
        tables.small(plan.entry, LEGS, name="Entry")
        cards.note(
            f"Of {plan.owed.text()} owed, {plan.total.text()} is settled and {(plan.owed - plan.total).text()} stays "
            f"owed; of {plan.waits.text()} with us, {(plan.waits - plan.total).text()} stays payable. One journal for "
            "each milestone. A withdrawal that was not sent yet is canceled for it, and what is left of it is "
            "requested again. The payee gets an e-mail."
        )
        _button(plan)


def _button(plan: SetOff) -> None:
    currency = plan.total.currency
    place = text_fields.named("party", plan.party_id, f"set-off-{currency.lower()}")
    reason = reasons.line(place, key=f"set-off-reason-{plan.party_id}-{currency}")
    intent = confirm.pressed(
        f"Set off {plan.total.text()}",
        key=f"set-off-press-{plan.party_id}-{currency}-{plan.total.minor}",
        money=True,
        icon=":material/balance:",
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: set_offs.set_off(
                session, actor, now=now, party_id=plan.party_id, amount=plan.total, reason=reason
            ),
            done=f"{plan.total.text()} is set off. The payee gets an e-mail.",
            sent=[place],
        )
