"""The registers of the legal specification: payment intents, holds and releases, refund decisions, administration,
receipts (payment-escrow-rules, Records / Audit Requirements)."""

from __future__ import annotations

from core.queries.movements import Period
from core.queries.registers import RegisterFilter
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.compliance import registers, style
from dashboard.ui import filters, header

request_context.require(Permission.READ_AUDIT)
style.apply()
header.page("Registers", "What must be on record of every payment, and where each row leads. Times are UTC.")
tabs = filters.tabs([each.title for each in registers.REGISTERS], key="register")
for tab, register in zip(tabs, registers.REGISTERS, strict=True):
    if tab.open:
        with tab:
            with filters.bar():
                days = filters.dates("Days", key="days", latest=request_context.now().date())
                project, milestone, case = registers.numbers()
                state = registers.state(register)
            wanted = RegisterFilter(
                period=Period(days[0], days[-1]) if days else None,
                project=project,
                milestone=milestone,
                case=case,
                state=state,
            )
            register.show(wanted)
