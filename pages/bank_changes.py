"""Bank changes: payees' new bank accounts, and whether payouts go there."""

from __future__ import annotations

from core.queries import bank_changes as queries
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import bank_changes
from dashboard.ui import header

request_context.require(Permission.READ_PAYOUTS)
header.page(
    "Bank changes",
    "Payouts to a payee's new bank account wait, in case somebody else changed it. Two people can accept it before "
    "then, let it wait longer, or refuse it.",
)
with request_context.reading() as session:
    rows = queries.changes(session)
chosen, wanted = bank_changes.listed(rows), navigation.asked("change")
for row in rows:
    if row.id == chosen or (chosen is None and row.id == wanted):
        bank_changes.change(row)
