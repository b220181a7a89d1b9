"""Checks: every invariant of the books with its law, and the rows that break it."""

from __future__ import annotations

import streamlit as st

from core.queries import invariants as checks
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.compliance import check_runs, outside_alarm
from dashboard.finance import invariants
from dashboard.ui import header

request_context.require(Permission.RUN_CHECKS)
buttons = header.page("Checks", "What must be true of the books, checked against the database now.")
with buttons:
    st.button(
        "Run again", key="run-checks", icon=":material/refresh:"
    )  # every drawing of this page asks again
with request_context.reading() as session:
    results = checks.run(session)
nightly = check_runs.read()
outside_alarm.show()
check_runs.alarm(nightly)
invariants.summary(results, request_context.now())
invariants.broken(results)
check_runs.section(nightly)
invariants.listed(results)
