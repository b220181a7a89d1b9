"""A marketplace's statement of a year: what is held for its customers, month by month, with the year's totals."""

from __future__ import annotations

from core.policy import Platform
from core.queries import yearly_statements
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance import yearly_statements as view
from dashboard.ui import empty, filters, header
from dashboard.ui.status import in_words

request_context.require(Permission.READ_LEDGER)
today = request_context.now().date()
header.page(
    "Marketplace statements",
    "What is held for the payers of a marketplace and payable to its payees, and how it moved. "
    "It is the sum of its parties' statements.",
)
with filters.bar():
    names = {each.value: in_words(each.value) for each in Platform}
    first, *others = names
    chosen = filters.choice(
        "Marketplace", {each: names[each] for each in others}, key="platform", everything=names[first]
    )
    years = {str(year): str(year) for year in range(today.year, today.year - 10, -1)}
    year = int(filters.one_of("This year", years, key="year", width=110) or today.year)
platform = Platform(chosen or first)
with request_context.reading() as session:
    found = yearly_statements.of_marketplace(session, platform, year, today=today)
if not found:
    empty.state("Nothing moved", "And nothing stood before that year. Choose another.", icon="receipt_long")
for each in found:
    view.statement(
        each,
        given={"marketplace": platform.value, "currency": each.currency, "year": year},
        again=lambda session: yearly_statements.of_marketplace(session, platform, year, today=today),
    )
