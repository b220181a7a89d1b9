"""A reconciliation run ends: well, with breaks, or failed and saying so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core.db import Database
from core.money import Money
from core.policy.limits import RECONCILED_WITHIN
from core.processes import reconciliation as reconcile
from core.queries import reconciliation
from core.records import ReconciliationRun, StatementLine
from core.rules.permissions import SYSTEM
from tests import unrecorded
from tests.sandbox_desk import Market


def runs(market: Market) -> list[str]:
    return [each.status for each in market.all(ReconciliationRun)]


@dataclass
class Unexpected:
    """A provider that says something nobody foresaw, at one of its questions."""

    real: Any
    at: str

    def __getattr__(self, name: str) -> Any:
        def broken(*_: Any, **__: Any) -> Iterator[Any]:
            raise KeyError("unforeseen")

        return broken if name == self.at else getattr(self.real, name)


@pytest.mark.parametrize("question", ["balance_lines", "balance"])
def test_a_run_that_meets_something_unforeseen_says_that_it_failed(market: Market, question: str) -> None:
    desk = replace(market.desk, payments=Unexpected(market.desk.payments, question))
    with pytest.raises(KeyError):
        reconcile.run(desk, SYSTEM)
    assert runs(market) == ["FAILED"]
    (run,) = market.all(ReconciliationRun)
    assert run.finished_at is not None
    assert "run it again" in run.error


def test_a_comparison_that_breaks_down_says_so_too(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "COMPARE", text("select nothing_like_this(:until)"))
    with pytest.raises(ProgrammingError):
        reconcile.run(market.desk, SYSTEM)
    monkeypatch.undo()
    reconcile.run(market.desk, SYSTEM)
    assert runs(market) == ["FAILED", "CLEAN"]


def test_the_comparison_may_be_shared_out_among_processes(market: Market) -> None:
    """It writes nothing, so that the database may: a large statement is gone through by all of its processors."""
    free = ("min_parallel_table_scan_size", "parallel_setup_cost", "parallel_tuple_cost")
    with market.database.rehearsal() as session:
        for setting in free:
            session.execute(text(f"set local {setting} = 0"))
        plan = (
            session.execute(text(f"explain {reconcile.COMPARE.text}"), {"until": market.now}).scalars().all()
        )
    assert any("Parallel" in line for line in plan), plan


def left_behind(market: Market, number: int) -> None:
    def write(session: Any) -> None:
        now: datetime = market.now
        session.add(ReconciliationRun(id=number, until=now, started_at=now, status="RUNNING"))
        session.flush()
        unrecorded.forgive(session)

    market.database.run(write)


def test_a_run_whose_process_was_killed_is_marked_by_the_next(market: Market) -> None:
    left_behind(market, 1_000_001)
    reconcile.run(market.desk, SYSTEM)
    killed = market.get(ReconciliationRun, 1_000_001)
    assert killed.status == "FAILED"
    assert "process was stopped" in killed.error


def test_a_run_that_is_still_under_way_is_left_alone(market: Market, database: Database) -> None:
    left_behind(market, 1_000_001)
    with database.presence_lock(reconcile.MARK, 1_000_001):
        reconcile.run(market.desk, SYSTEM)
        assert sorted(runs(market)) == ["CLEAN", "RUNNING"]
    reconcile.run(market.desk, SYSTEM)
    assert sorted(runs(market)) == ["CLEAN", "CLEAN", "FAILED"]


def stray_lines(market: Market, many: int) -> None:
    """Lines on Stripe's statement that the ledger has not."""

    def write(session: Any) -> None:
        for n in range(many):
            currency = ("USD", "EUR")[n % 2]
            session.add(
                StatementLine(
                    id=f"txn_stray_{n}", kind="adjustment", reporting_category="other", amount=100, fee=0, net=100,
                    currency=currency, source="", created_at=market.now, fetched_at=market.now,
                )
            )  # fmt: skip

    market.database.run(write)


def compared(market: Market, at_provider: dict[str, Money]) -> ReconciliationRun:
    number = 2_000_000
    left_behind(market, number)
    market.database.run(
        lambda session: reconcile._compare(session, SYSTEM, number, market.now, at_provider, now=market.now)
    )
    return market.get(ReconciliationRun, number)


def test_five_stray_lines_are_five_breaks_although_two_balances_differ_because_of_them(
    market: Market,
) -> None:
    stray_lines(market, 5)
    run = compared(market, {"USD": Money(300, "USD"), "EUR": Money(200, "EUR")})
    assert (run.status, run.breaks, run.unmatched, run.matched, run.in_suspense) == ("BREAKS", 5, 5, 0, 0)


def test_a_balance_that_differs_by_more_than_its_lines_explain_is_a_break_of_its_own(market: Market) -> None:
    stray_lines(market, 1)
    run = compared(market, {"USD": Money(101, "USD")})
    assert (run.breaks, run.unmatched) == (2, 1)


def standing(market: Market) -> reconciliation.ReconciliationStatus:
    with market.database.reading() as session:
        return reconciliation.status(session)


def test_a_run_without_a_line_compared_nothing(market: Market) -> None:
    run = compared(market, {})
    assert (run.status, run.lines) == ("CLEAN", 0)
    assert standing(market).verdict(market.now) == "EMPTY"


def test_a_run_that_nobody_is_at_is_broken_off_at_once(market: Market, database: Database) -> None:
    assert standing(market).verdict(market.now) == "NEVER"
    left_behind(market, 1_000_001)
    assert standing(market).verdict(market.now) == "BROKEN_OFF"
    with database.presence_lock(reconcile.MARK, 1_000_001):
        assert standing(market).verdict(market.now) == "RUNNING"


def test_a_failed_run_is_failed_whatever_was_known_before_it_and_an_old_one_is_old(market: Market) -> None:
    reconcile.run(market.desk, SYSTEM)
    good = standing(market)
    assert good.verdict(market.now + RECONCILED_WITHIN) == good.verdict(market.now)
    assert good.verdict(market.now + RECONCILED_WITHIN + timedelta(seconds=1)) == "OLD"
    desk = replace(market.desk, payments=Unexpected(market.desk.payments, "balance"))
    with pytest.raises(KeyError):
        reconcile.run(desk, SYSTEM)
    after = standing(market)
    assert after.verdict(market.now) == "FAILED"
    assert (after.compared and after.compared.id) == (good.newest and good.newest.id)


@pytest.mark.parametrize("count", ["breaks", "unmatched", "in_suspense"])
def test_the_database_lets_no_run_be_clean_with_something_open(owner: Database, count: str) -> None:
    counts = {"breaks": 0, "unmatched": 0, "in_suspense": 0} | {count: 1}
    statement = (
        "insert into reconciliation_runs (until, started_at, status, lines, matched, totals, breaks, unmatched,"
        " in_suspense) values (now(), now(), 'CLEAN', 1, 1, '[]', :breaks, :unmatched, :in_suspense)"
    )
    with pytest.raises(IntegrityError, match="clean"), owner.transaction() as session:
        session.execute(text(statement), counts)
