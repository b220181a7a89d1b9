"""Checks: every invariant of the books with its law, what the last run found of it, and the rows that break it."""

from __future__ import annotations

from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.compliance import check_runs, outside_alarm
from dashboard.finance import invariants
from dashboard.ui import cards, header

request_context.require(Permission.RUN_CHECKS)
buttons = header.page(
    "Checks", "What must be true of the books: checked each hour, and everything each night."
)
standing = check_runs.read()
with buttons:
    check_runs.of_the_books(standing)
outside_alarm.show()
check_runs.alarm(standing, here=True)
checked = invariants.found(standing.books) if standing.books else []
if standing.books:
    invariants.summary(checked, standing.books, request_context.now())
    with request_context.reading() as session:
        invariants.broken(session, checked)
else:
    cards.note(
        "The books have not been checked yet. A worker does it as soon as it runs, and then each hour."
    )
check_runs.section(standing)
outside_alarm.section()
invariants.listed(checked)
