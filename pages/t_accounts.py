"""A milestone's T-accounts: debits left, credits right, account by account."""

from __future__ import annotations

from core.queries import party_statements
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import t_accounts
from dashboard.ui import empty, header

request_context.require(Permission.READ_LEDGER)
number = navigation.asked()
with request_context.reading() as session:
    found = party_statements.t_accounts(session, number or 0)
with header.page(
    f"T-accounts of M-{number}" if number else "T-accounts",
    "What this milestone’s journals posted. An account that others share shows this milestone’s postings only.",
    back=("journals", "Journals"),
):
    if number:
        navigation.link("journals", "Its journals", icon=":material/menu_book:", milestone=number)
if not found:
    empty.state("Nothing was posted for it", "Its first payment opens its accounts.", icon="account_balance")
    navigation.end()
t_accounts.show(found)
