"""Posting, balances and refusals on a real PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.db import Database
from core.ledger import accounts, invariants, journal_store
from core.ledger.journal_store import JournalKeyReused, JournalRefused, Overdraft
from core.ledger.journals import Journal, Posting, UnbalancedJournal
from core.money import Money
from core.queries import ledger
from tests.builders import roll_up
from tests.ledger.conftest import NOW, Post, charge, release, usd


def balance(database: Database, code: str) -> int:
    with database.reading() as session:
        return journal_store.balance(session, code, "USD").minor


def test_a_balance_is_told_on_the_side_on_which_the_account_grows(database: Database, post: Post) -> None:
    post(charge(17))
    assert balance(database, accounts.held(17)) == 100_000
    assert balance(database, accounts.STRIPE_BALANCE) == 102_490
    assert balance(database, accounts.PROCESSING_FEE_RECOVERY) == 300
    assert balance(database, accounts.FEE_VARIANCE) == 10
    assert balance(database, accounts.held(18)) == 0


def test_the_same_journal_again_is_the_same_journal(database: Database, post: Post) -> None:
    first = post(charge(17))
    assert post(charge(17)) == first
    assert balance(database, accounts.held(17)) == 100_000


def test_the_same_journal_at_another_time_is_the_same_journal(database: Database, post: Post) -> None:
    first = post(charge(17))
    again = database.run(lambda session: journal_store.post(session, charge(17), now=NOW + timedelta(days=2)))
    assert again == first


@pytest.mark.parametrize(
    "change",
    [{"kind": "other"}, {"memo": "other"}, {"cause": {}}, {"party_id": 2}, {"milestone_id": None}],
    ids=lambda change: next(iter(change)),
)
def test_a_key_cannot_be_used_for_something_else(
    database: Database, post: Post, change: dict[str, object]
) -> None:
    post(charge(17))
    with pytest.raises(JournalKeyReused, match="charge:17"):
        post(replace(charge(17), **change))  # type: ignore[arg-type]
    with pytest.raises(JournalKeyReused):
        post(charge(17, amount=100_001))
    assert balance(database, accounts.held(17)) == 100_000


def test_more_than_there_is_cannot_be_released(database: Database, post: Post) -> None:
    post(charge(17))
    with pytest.raises(Overdraft) as refused:
        post(release(17, amount=100_001))
    assert refused.value.facts == {
        "account": "held:17",
        "wanted": usd(100_001),
        "available": usd(100_000),
        "shortfall": usd(1),
    }
    post(release(17, amount=100_000))
    assert balance(database, accounts.held(17)) == 0
    assert balance(database, accounts.payee_payable(5)) == 100_000


def test_an_account_that_was_never_posted_to_is_empty(post: Post) -> None:
    with pytest.raises(Overdraft, match=re.escape("held:404")):
        post(release(404, amount=1))


def test_an_asset_that_may_not_go_below_zero_is_guarded_on_its_own_side(post: Post) -> None:
    moved = Journal("m", "test", (Posting("disputed_funds", usd(5)), Posting("bank", usd(-5))))
    post(moved)
    with pytest.raises(Overdraft, match="disputed_funds"):
        post(Journal("n", "test", (Posting("disputed_funds", usd(-6)), Posting("bank", usd(6)))))


def test_a_journal_of_hot_accounts_alone_opens_its_currency(database: Database, post: Post) -> None:
    post(Journal("m", "test", (Posting("bank", Money(-5, "JPY")), Posting("suspense", Money(5, "JPY")))))
    with database.reading() as session:
        assert journal_store.balance(session, "bank", "JPY") == Money(-5, "JPY")


def test_a_rolled_back_action_leaves_nothing(database: Database, post: Post) -> None:
    post(charge(17))

    def action(session: Session) -> None:
        journal_store.post(session, release(17, amount=500), now=NOW)
        journal_store.post(session, charge(18), now=NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run(action)
    assert balance(database, accounts.held(17)) == 100_000
    assert balance(database, accounts.held(18)) == 0
    post(release(17, amount=500))
    assert balance(database, accounts.held(17)) == 99_500


def test_currencies_are_kept_apart(database: Database, post: Post) -> None:
    euros = Journal("e", "test", (Posting("bank", Money(7, "EUR")), Posting("held:17", Money(-7, "EUR"))))
    post(charge(17))
    post(euros)
    with database.reading() as session:
        assert journal_store.balance(session, "held:17", "EUR") == Money(7, "EUR")
        assert journal_store.balance(session, "held:17", "USD") == usd(100_000)


def test_hot_and_cold_balances_are_right_before_and_after_a_roll_up(
    database: Database, owner: Database, post: Post
) -> None:
    codes = ["held:1", "held:2", "payee_payable:5", "stripe_balance", "platform_fee_revenue", "fee_variance"]
    post(charge(1))
    with database.reading() as session:
        before = journal_store.balances(session, codes, "USD")
    roll_up(owner)
    with database.reading() as session:
        assert journal_store.balances(session, codes, "USD") == before
    post(charge(2))
    post(release(1, amount=4_000))
    with database.reading() as session:
        assert journal_store.balances(session, codes, "USD") == {
            "held:1": usd(96_000),
            "held:2": usd(100_000),
            "payee_payable:5": usd(4_000),
            "stripe_balance": usd(204_980),
            "platform_fee_revenue": usd(100),
            "fee_variance": usd(20),
        }
        assert invariants.check(session) == []


@pytest.mark.parametrize(
    ("lo", "hi"),
    [
        ("'0'", "rolled_to"),
        ("rolled_to", "'3'"),
        ("rolled_to", "(pg_current_xact_id()::text::bigint + 1)::text::xid8"),
        ("rolled_to", "'18446744073709551615'"),
    ],
    ids=["again", "backwards", "over a running transaction", "to the end of time"],
)
def test_ranges_follow_each_other_behind_running_transactions(
    owner: Database, post: Post, lo: str, hi: str
) -> None:
    post(charge(1))
    roll_up(owner)
    with pytest.raises(DBAPIError, match="cannot be rolled up"), owner.transaction() as session:
        session.execute(text(f"select roll_up({lo}, {hi}) from ledger_roll_up"))


def test_after_a_restore_all_that_was_is_rolled_up_and_the_tail_begins_anew(
    owner: Database, post: Post
) -> None:
    post(charge(1))
    with owner.transaction() as session:
        assert session.execute(text("select begin_ledger_epoch()")).scalar_one() == 6
    post(charge(2))
    with owner.reading() as session:
        assert session.execute(text("select count(*) from posting_tail")).scalar_one() == 6
        assert journal_store.balance(session, "stripe_balance", "USD") == usd(204_980)
        assert invariants.check(session, "balances_agree", "register_agrees", "daily_totals_agree") == []


def test_the_trial_balance_sums_to_zero_in_each_currency_and_book(
    database: Database, owner: Database, post: Post
) -> None:
    post(charge(1))
    roll_up(owner)
    post(release(1, amount=4_000))
    post(Journal("y", "test", (Posting("bank", Money(-5, "JPY")), Posting("suspense", Money(5, "JPY")))))
    with database.reading() as session:
        nets = ledger.nets(session)
    for currency in ("USD", "JPY"):
        assert sum(net.minor for (_, of), net in nets.items() if of == currency) == 0
    assert nets["held", "USD"] == usd(-96_000)


def test_an_accounts_page_runs_over_the_roll_up_newest_first(
    database: Database, owner: Database, post: Post
) -> None:
    ids = [post(charge(1))]
    ids += [post(release(1, amount=amount)) for amount in (100, 200)]
    roll_up(owner)
    ids += [post(release(1, amount=amount)) for amount in (300, 400)]
    with database.reading() as session:
        first = journal_store.page(session, "held:1", "USD", limit=3)
        second = journal_store.page(session, "held:1", "USD", before=first[-1].journal_id, limit=3)
    assert [line.journal_id for line in [*first, *second]] == ids[::-1]
    assert [line.amount.minor for line in [*first, *second]] == [400, 300, 200, 100, -100_000]


def test_a_milestones_journals_come_back_as_they_were_posted(database: Database, post: Post) -> None:
    journals = [charge(1), release(1, amount=100)]
    ids = [post(journal) for journal in journals]
    post(charge(2))
    with database.reading() as session:
        found = journal_store.of_milestone(session, 1)
    assert [one.id for one in found] == ids
    for one, journal in zip(found, journals, strict=True):
        in_order = sorted(journal.postings, key=lambda posting: accounts.number(posting.account, "USD"))
        assert one.journal == replace(journal, postings=tuple(in_order))
        assert one.posted_at == NOW


NO_LINE = max(number for number in accounts.BY_NUMBER if number < 193) + 1
LOWER, HIGHER, CLAIM = (accounts.number(code, "USD") for code in ("bank", "suspense", "connected_claim"))


@pytest.mark.parametrize(
    ("state", "numbers", "amounts"),
    [
        ("LD001", [LOWER, HIGHER], [5, -4]),
        ("LD001", [LOWER, HIGHER], [5, -5, 1]),
        ("LD002", [LOWER, HIGHER], [5]),
        ("LD001", [], []),
        ("LD001", [HIGHER], [5]),
        ("LD002", [HIGHER], [0]),
        ("LD002", [HIGHER, LOWER], [5, -5]),
        ("LD002", [HIGHER, HIGHER], [5, -5]),
        ("LD002", [LOWER, HIGHER], [0, 0]),
        ("LD002", [LOWER, HIGHER, None], [5, -5, None]),
        ("LD002", [LOWER, HIGHER, HIGHER + 1024], [5, -5, None]),
        ("LD002", [HIGHER, CLAIM], [5, -5]),
        ("LD002", [LOWER, accounts.number("bank", "EUR")], [5, -5]),
        ("LD005", [HIGHER, NO_LINE << 10 | 840], [5, -5]),
        ("LD005", [9 << 10 | 840, HIGHER], [5, -5]),
        ("LD005", [HIGHER, HIGHER | 7 << 18], [5, -5]),
        ("LD005", [LOWER - 840 + 999, HIGHER - 840 + 999], [5, -5]),
        ("LD002", [-1, HIGHER], [5, -5]),
    ],
)
def test_the_database_itself_refuses_what_python_would_have_refused(
    database: Database, state: str, numbers: list[int | None], amounts: list[int | None]
) -> None:
    with pytest.raises(DBAPIError) as refused, database.transaction() as session:
        session.execute(
            text("select post_journal('k', 'test', :numbers, :amounts, null, null, '', '{}', now())"),
            {"numbers": numbers, "amounts": amounts},
        )
    assert getattr(refused.value.orig, "sqlstate", None) == state


def test_refusals_of_the_database_are_told_as_errors_of_the_desk(database: Database) -> None:
    unbalanced = charge(1)
    object.__setattr__(unbalanced, "postings", (Posting("bank", usd(5)), Posting("suspense", usd(-4))))
    with pytest.raises(UnbalancedJournal, match=re.escape("$0.01")), database.transaction() as session:
        journal_store.post(session, unbalanced, now=NOW)
    object.__setattr__(unbalanced, "postings", (Posting("bank", usd(5)), Posting("bank", usd(-5))))
    with pytest.raises(JournalRefused, match="malformed"), database.transaction() as session:
        journal_store.post(session, unbalanced, now=NOW)
