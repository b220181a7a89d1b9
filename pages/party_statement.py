"""A party's statement of a month: opening balance, movements, closing balance, in each currency."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import party_statements
from core.queries.movements import Period
from core.rules.periods import PeriodKind, span
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import t_accounts
from dashboard.ui import empty, errors, filters, header

request_context.require(Permission.READ_LEDGER)
number, today = navigation.asked(), request_context.now().date()
header.page(
    f"Statement of party {number}" if number else "Statement", back=("trial_balance", "Trial balance")
)
with filters.bar():
    day = filters.day("The month of", key="day", latest=today)
whole = span(PeriodKind.MONTH, day or today)
try:
    with request_context.reading() as session:
        found = party_statements.statements(session, number or 0, Period(whole.first, whole.last))
except DeskError as missing:
    errors.show(missing)
    navigation.end()
if not found:
    empty.state("Nothing moved", "And nothing stood before that month. Choose another.", icon="receipt_long")
for each in found:
    t_accounts.statement(each)
