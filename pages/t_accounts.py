"""A milestone's T-accounts: debits left, credits right, account by account."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import party_statements
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import t_accounts
from dashboard.ui import empty, errors, header

request_context.require(Permission.READ_LEDGER)
number = navigation.asked()
if number is None:
    header.page("T-accounts", back=("journals", "Journals"))
    empty.state("No milestone is chosen", "Its project and its journals lead here.", icon="account_balance")
    navigation.end()
try:
    with request_context.reading() as session:
        found = party_statements.t_accounts(session, number)
except DeskError as missing:
    header.page("T-accounts", back=("journals", "Journals"))
    errors.show(missing)
    navigation.end()
with header.page(
    f"T-accounts of M-{number}",
    "What this milestone’s journals posted. An account that others share shows this milestone’s postings only.",
    back=("journals", "Journals"),
):
    navigation.link("journals", "Its journals", icon=":material/menu_book:", milestone=number)
if not found:
    empty.state("Nothing was posted for it", "Its first payment opens its accounts.", icon="account_balance")
    navigation.end()
t_accounts.show(found)
