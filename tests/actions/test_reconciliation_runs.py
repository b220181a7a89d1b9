"""A reconciliation run ends: well, with breaks, or failed and saying so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.actions import reconcile
from core.db import Database
from core.records import ReconciliationRun
from core.rules.permissions import SYSTEM
from tests import unrecorded
from tests.market import Market


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
    monkeypatch.setattr(reconcile, "COMPARE", text("select nothing_like_this(:run_id, :until)"))
    with pytest.raises(ProgrammingError):
        reconcile.run(market.desk, SYSTEM)
    monkeypatch.undo()
    reconcile.run(market.desk, SYSTEM)
    assert runs(market) == ["FAILED", "CLEAN"]


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
    with database.at_it(reconcile.MARK, 1_000_001):
        reconcile.run(market.desk, SYSTEM)
        assert sorted(runs(market)) == ["CLEAN", "RUNNING"]
    reconcile.run(market.desk, SYSTEM)
    assert sorted(runs(market)) == ["CLEAN", "CLEAN", "FAILED"]
