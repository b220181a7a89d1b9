"""Money of customers moves by the kinds of journals that the posting functions make, and no others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from core.db import Database
from core.ledger import journal_store
from core.ledger.accounts import CHART, Group
from core.ledger.journal_store import JournalRefused
from core.ledger.journals import Journal, Posting
from core.ledger.kinds import KINDS, OF_CUSTOMERS
from core.money import Money
from core.queries import journals
from tests.builders import NOW

FORMER = {"transfer_taken_back"}  # booked under this name before; nothing is any more
TESTS_OWN = {"test", "other", "k", "x", "chargeback_lost"}


def test_the_database_has_the_same_kinds(database: Database) -> None:
    with database.reading() as session:
        kept = {
            row.kind: (set(row.debits), set(row.credits))
            for row in session.execute(text("select * from journal_kinds"))
        }
    known = {kind: (set(debits.split()), set(credits.split())) for kind, (debits, credits) in KINDS.items()}
    assert {kind: sides for kind, sides in kept.items() if kind not in FORMER | TESTS_OWN} == known


def test_every_kind_has_a_title_and_the_other_way_round() -> None:
    assert set(journals.KINDS) - FORMER == set(KINDS)


def test_money_of_customers_is_what_is_held_owed_or_theirs() -> None:
    of_customers = {Group.CLIENT_FUNDS, Group.DEFERRED_INCOME, Group.PAYEES_CLAIM, Group.PAYEES_CASH}
    lines = {name for name, line in CHART.items() if line.group in of_customers} | {"receivable_payee"}
    assert set(OF_CUSTOMERS.split()) == lines


def usd(minor: int) -> Money:
    return Money(minor, "USD")


NO_FUNCTION_MAKES = {
    "of a kind of one's own": ("mine", [("stripe_balance", 5), ("held:1", -5)]),
    "what is held goes to the bank": ("platform_payout_sent", [("held:1", 5), ("bank", -5)]),
    "what one payer is owed becomes a payee's": (
        "decided",
        [("refund_payable:1", 5), ("payee_payable:2", -5)],
    ),
    "what one payee is owed becomes another's": (
        "withdrawal",
        [("payee_payable:1", 5), ("payee_payable:2", -5)],
    ),
    "what is held is of another milestone": ("charge_settled", [("held:1", 5), ("held:2", -5)]),
    "a debt is written off against what a payee is owed": (
        "debt_written_off",
        [("payee_payable:1", 5), ("receivable_payee:1", -5)],
    ),
    "what is held is ours by hand": ("manual_journal", [("held:1", 5), ("other_income", -5)]),
}


@pytest.mark.parametrize("attempt", NO_FUNCTION_MAKES)
def test_a_journal_that_no_posting_function_makes_is_refused(database: Database, attempt: str) -> None:
    post(database, "test", [("stripe_balance", 60), *((code, -10) for code in OWED)])
    kind, lines = NO_FUNCTION_MAKES[attempt]
    with pytest.raises(JournalRefused, match=r"no posting function makes|does not move this money"):
        post(database, kind, lines)


OWED = ("held:1", "held:2", "refund_payable:1", "payee_payable:1", "payee_payable:2", "unapplied_funds")


def post(database: Database, kind: str, lines: Sequence[tuple[str, int]]) -> None:
    postings = tuple(Posting(code, usd(minor)) for code, minor in lines)
    with database.transaction() as session:
        journal_store.post(session, Journal(f"key.{kind}", kind, postings), now=NOW)
