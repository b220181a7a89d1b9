"""A marketplace's statement of a year: what is held for its customers, month by month, with the year's totals."""

from __future__ import annotations

from functools import partial

from core.money import CURRENCIES, shown_order
from core.policy import Platform
from core.queries import yearly_statements
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import marketplace_entries as made_of
from dashboard.finance import yearly_statements as view
from dashboard.ui import empty, filters, header
from dashboard.ui.status import in_words

MAIN = min(CURRENCIES, key=shown_order)
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
    of = filters.one_of("Whole statement", made_of.OF, key="of", width=190)
    if of:
        month = filters.one_of("Whole year", made_of.MONTHS, key="month", width=130)
        currency = filters.one_of(MAIN, {each: each for each in CURRENCIES}, key="currency", width=100)
platform = Platform(chosen or first)
if of:
    made_of.show(platform, year, int(month) if month else None, of, currency or MAIN)
    navigation.end()
with request_context.reading() as session:
    found = yearly_statements.of_marketplace(session, platform, year, today=today)
if not found:
    empty.state("Nothing moved", "And nothing stood before that year. Choose another.", icon="receipt_long")
for each in found:
    view.statement(
        each,
        given={"marketplace": platform.value, "currency": each.currency, "year": year},
        way=partial(made_of.way, platform),
        again=lambda session: yearly_statements.of_marketplace(session, platform, year, today=today),
    )
