"""Holds: what is stopped, by whom, why, and since when."""

from __future__ import annotations

from core.queries import holds
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.compliance import hold_list, hold_panel, payee_hold_panel, risk_queue, style
from dashboard.ui import header

request_context.require(Permission.READ_CASES)
now = request_context.now()
style.apply()
buttons = header.page(
    "Holds",
    "Money held by staff, by a payer's late complaint or by the system. None of it is released or paid out until the "
    "hold is lifted.",
)
with request_context.reading() as session:
    figures = holds.figures(session, now=now)
wanted = hold_list.show(now, hold_panel.show)
payee_hold_panel.section(wanted.state, since=wanted.since, but=navigation.asked("id"))
hold_panel.cards_above(figures, now)
risk_queue.section()
if request_context.may(Permission.PLACE_HOLD):
    with buttons:
        hold_panel.button()
        payee_hold_panel.button()
payee_hold_panel.drawers()
hold_panel.drawers()
risk_queue.drawers()
