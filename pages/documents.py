"""Receipts, invoices and credit notes: every one that was issued, its PDF, and whether a file is one of ours."""

from __future__ import annotations

from core.policy import Platform
from core.queries import documents as queries
from core.queries.documents import Narrowed
from core.queries.movements import Period
from core.rules.documents import TITLES, ReceiptKind
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance import documents
from dashboard.ui import filters, header
from dashboard.ui.status import in_words

request_context.require(Permission.READ_LEDGER)
with header.page(
    "Documents",
    "Receipts, invoices and credit notes, as they were issued. Each series counts without a gap within its year.",
):
    documents.verify_button()
documents.verify_drawer()
with filters.bar():
    kind = filters.choice("Kind", dict(TITLES), key="kind")
    platforms = {each.value: in_words(each.value) for each in Platform}
    platform = filters.one_of("Every marketplace", platforms, key="platform", width=180)
    party = filters.number("Party", key="party")
    days = filters.dates("Issued", key="days", latest=request_context.now().date())
wanted = Narrowed(
    kind=ReceiptKind(kind) if kind else None,
    platform=platform,
    party=party,
    period=Period(days[0], days[-1]) if days else None,
)
chosen = documents.table(wanted)
if chosen is not None:
    documents.one(chosen)
with request_context.reading() as session:
    documents.series(queries.series(session))
