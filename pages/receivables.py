"""Receivables: what payees owe us by age, each debt down to its postings, reminders and write-offs."""

from __future__ import annotations

from core.queries import receivables as queries
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import receivables
from dashboard.ui import header

request_context.require(Permission.READ_LEDGER)
header.page(
    "Receivables",
    "What payees owe us, mostly after lost chargebacks. Whatever is paid or set off settles the oldest part first.",
)
with request_context.reading() as session:
    rows = queries.with_set_offs(session, queries.debts(session, now=request_context.now()))
    lost = queries.written_off(session)
chosen, wanted = receivables.ageing(rows), navigation.asked("payee")
receivables.settled_meanwhile(rows)
receivables.without_debt(rows, wanted)
for row in rows:
    if row.id == chosen or (chosen is None and row.party_id == wanted):
        receivables.debt(row)
receivables.written_off(lost)
