"""Many hands at once, and a roll-up that runs among them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from sqlalchemy import text

from core.db import Database
from core.ledger import accounts, invariants, journal_store
from core.ledger.journal_store import Overdraft
from core.ledger.journals import Journal, credit, debit
from tests.ledger.conftest import NOW, Post, charge, release, usd

HANDS = 8


def at_once(work: Callable[[int], object], hands: int = HANDS) -> list[object]:
    """What each hand returned or raised, all starting together."""
    ready = threading.Barrier(hands)

    def run(hand: int) -> object:
        ready.wait()
        try:
            return work(hand)
        except Exception as error:  # what it raised is its result
            return error

    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(run, range(hands)))


def test_one_key_posted_by_many_at_once_is_one_journal(database: Database, post: Post) -> None:
    for milestone in range(1, 6):
        post(charge(milestone))
        results = at_once(lambda _, m=milestone: post(release(m, amount=100_000)))  # type: ignore[misc]
        assert set(results) == {results[0]}
        assert isinstance(results[0], int), results
    with database.reading() as session:
        assert journal_store.balance(session, accounts.payee_payable(5), "USD") == usd(500_000)


def test_money_that_is_there_once_is_released_once(database: Database, post: Post) -> None:
    post(charge(1))
    results = at_once(lambda hand: post(release(1, amount=100_000, key=f"release:{hand}")))
    assert sum(isinstance(result, int) for result in results) == 1
    assert sum(isinstance(result, Overdraft) for result in results) == HANDS - 1
    with database.reading() as session:
        assert journal_store.balance(session, "held:1", "USD") == usd(0)


def test_an_account_opened_by_many_at_once_is_opened_once(database: Database, post: Post) -> None:
    assert all(isinstance(result, int) for result in at_once(lambda hand: post(charge(hand + 1))))
    with database.reading() as session:
        assert (
            session.execute(text("select count(*) from accounts where code = 'stripe_balance'")).scalar_one()
            == 1
        )


def test_journals_that_cross_do_not_deadlock(database: Database, post: Post) -> None:
    """Locks are taken in the order of account numbers, whichever way the money goes."""
    parties = [accounts.payee_payable(n) for n in range(1, 5)]
    for n in range(1, 5):
        post(Journal(f"start:{n}", "test", (debit("bank", usd(10**6)), credit(parties[n - 1], usd(10**6)))))

    def pay(hand: int) -> int:
        dice = random.Random(hand)
        for n in range(60):
            source, target, third = dice.sample(parties, 3)
            lines = (debit(source, usd(3)), credit(target, usd(2)), credit(third, usd(1)))
            with database.transaction() as session:  # without the retry of `run`
                journal_store.post(session, Journal(f"pay:{hand}:{n}", "test", lines), now=NOW)
        return hand

    assert at_once(pay) == list(range(HANDS))
    with database.reading() as session:
        assert invariants.check(session) == []


@pytest.fixture
def rolling(owner: Database) -> Iterator[list[int]]:
    """A roll-up that runs without a pause; how many postings each run took."""
    stop, runs = threading.Event(), list[int]()
    statement = text(
        "select roll_up((select rolled_to from ledger_roll_up), pg_snapshot_xmin(pg_current_snapshot()))"
    )

    def roll() -> None:
        while not stop.is_set():
            runs.append(int(owner.run(lambda session: session.execute(statement).scalar_one())))

    thread = threading.Thread(target=roll)
    thread.start()
    yield runs
    stop.set()
    thread.join()


def test_balances_agree_with_postings_at_every_moment(
    database: Database, post: Post, rolling: list[int]
) -> None:
    """Each look is one statement, so one snapshot: hot accounts by roll-up and tail, cold ones by their balance."""
    laws = ("balances_agree", "books_balance", "register_agrees", "nothing_below_zero")
    for milestone in range(1, 5):
        post(charge(milestone, amount=10**6))

    def work(hand: int) -> int:
        for n in range(40):
            if hand < 3:
                post(release(hand + 1, amount=100 + n, payee_id=n % 3 + 1, key=f"{hand}:{n}"))
            else:
                with database.reading() as session:
                    assert invariants.check(session, *laws) == []
        return hand

    assert at_once(work, hands=5) == list(range(5))
    # Not before whoever began earlier, in whatever database of this server, has ended.
    while not sum(rolling):
        sleep(0.05)
    with database.reading() as session:
        assert invariants.check(session) == []
