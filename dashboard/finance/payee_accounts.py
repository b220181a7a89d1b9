"""A payee's account at Stripe beside one of their payouts: whether they can be paid, and what is wanted of them."""

from __future__ import annotations

from core.queries.payee_accounts import PayeeAccountView
from dashboard import navigation
from dashboard.ui import cards, header, tables

CHANGES = [
    tables.when("at", "Changed"),
    tables.text("currency", "Currency"),
    tables.text("before", "Ended in"),
    tables.text("after", "Ends in"),
    tables.when("waits_until", "End of wait"),
]


def show(account: PayeeAccountView | None) -> None:
    header.section("Payee's account at Stripe")
    if account is None:
        cards.note("It has not been read yet, or the payee has none.")
        return
    trouble = account.trouble
    cards.facts(
        {
            "Can be paid": "Yes" if trouble is None else f"No: {trouble}",
            "Details due at Stripe": ", ".join(account.due) or "None",
            "Due by": account.due_at,
            "Bank account": ", ".join(account.banks) or "None",
            "Payouts wait until": account.waits_until,
            **(
                {"Refused by us": f"The bank account for {' and '.join(account.refused)}"}
                if account.refused
                else {}
            ),
            "Read at Stripe": account.read_at,
        }
    )
    if account.changes:
        tables.small(account.changes, CHANGES, name="Changes of the bank account")
        newest = account.changes[0].id
        navigation.link("bank_changes", "Latest bank change", icon=":material/rule:", id=newest)
