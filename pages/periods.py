"""Periods: what is to be closed next with its checklist, what was closed and signed, and reopening by two."""

from __future__ import annotations

from core.queries import periods as queries
from core.rules.periods import PeriodKind
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance import periods
from dashboard.ui import cards, filters, header, tables

KINDS = {"DAY": "A day", "MONTH": "A month", "YEAR": "A fiscal year"}
request_context.require(Permission.READ_LEDGER)
now = request_context.now()
header.page(
    "Periods",
    "What is closed gets no journal any more: what comes to light later is posted on the first open day.",
)
with request_context.reading() as session:
    since, due = queries.open_from(session), queries.next_due(session)
periods.overdue(due, now)
cards.facts(
    {
        "Open from": f"{since:%-d %b %Y}, UTC" if since else "The beginning: nothing was ever closed",
        "Today": f"{now:%-d %b %Y}, UTC",
    }
)
if request_context.may(Permission.CLOSE_PERIOD):
    with filters.bar():
        usual = due.kind if due else PeriodKind.DAY
        kind = filters.choice("Close", KINDS, key="kind", usual=usual.value) or usual
        day = filters.day("Any day in it", key="day", latest=now.date())
    periods.next_close(PeriodKind(kind), day, since, now)
cursor = tables.cursor("before", size=50)
with request_context.reading() as session:
    rows = queries.rows(session, before=cursor.before, limit=cursor.limit)
periods.closed(rows, cursor)
