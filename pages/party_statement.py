"""A party's statement in each currency: of a month, movement by movement, or of a year, month by month."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import party_statements, yearly_statements
from core.queries.movements import Period
from core.rules.parties import PartyRole
from core.rules.periods import PeriodKind, span
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from dashboard import navigation, readings, request_context
from dashboard.finance import set_offs, t_accounts
from dashboard.finance import yearly_statements as yearly
from dashboard.ui import empty, errors, filters, header

request_context.require(Permission.READ_LEDGER)
number, today = navigation.asked(), request_context.now().date()
header.page(
    f"Statement of party {number}" if number else "Statement", back=("trial_balance", "Trial balance")
)
with filters.bar():
    by = filters.choice("Period", {"year": "Year"}, key="by", everything="Month")
    day = filters.day(f"The {by or 'month'} of", key="day", latest=today) or today
whole = span(PeriodKind.MONTH, day)
try:
    if number is None:
        raise party_statements.PartyNotNamed()
    with request_context.reading() as session:
        if by:
            years = yearly_statements.of_party(session, number, day.year, today=today)
            found = []
        else:
            years = []
            found = party_statements.statements(session, number, Period(whole.first, whole.last))
except DeskError as missing:
    errors.show(missing)
    navigation.end()
if number:
    readings.note(ReadingKind.PARTY, number)
if not found and not years:
    empty.state("Nothing moved", "And nothing stood before that. Choose another time.", icon="receipt_long")
for each in found:
    t_accounts.statement(each)
    if each.role == PartyRole.PAYEE:
        set_offs.panel(each.party_id, each.currency)
for year in years:
    yearly.statement(
        year,
        way=lambda year, month, of: f"/party_statement?id={number}&day={month.id}" if month else "",
        given={"party": number, "currency": year.currency, "year": year.year},
        again=lambda session: yearly_statements.of_party(session, number or 0, day.year, today=today),
    )
