"""Manual journals: propose lines for an open day, approve as the second person, reverse; nothing is ever edited."""

from __future__ import annotations

from core.queries import manual_journals as queries
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance import manual_journals
from dashboard.ui import header, tables

request_context.require(Permission.READ_LEDGER)
header.page(
    "Manual journals",
    "One person proposes, another approves. Posted, a journal is never changed: it is reversed, and both say so.",
    back=("journals", "Journals"),
)
cursor = tables.cursor("before", size=50)
with request_context.reading() as session:
    rows, waiting = queries.rows(session, before=cursor.before, limit=cursor.limit), queries.waiting(session)
for each in waiting:
    manual_journals.proposal(each)
if request_context.may(Permission.PROPOSE_JOURNAL):
    manual_journals.form()
manual_journals.listed(rows, cursor)
