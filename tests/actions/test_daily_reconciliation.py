"""Every day that is over is reconciled once, and a worker that slept through the night makes it good.

(milestone-payment-flow, Performance Considerations 4.)
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from structlog.testing import capture_logs

from core.db import Database
from core.gateways.stripe_adapter import StripePayments
from core.records import ReconciliationRun
from core.worker.tasks import _sweep, last_midnight, reconcile
from tests.sandbox_desk import Market

TICK = timedelta(microseconds=1)
MIDNIGHT = datetime(2026, 3, 4, tzinfo=UTC)


def runs(market: Market) -> list[tuple[datetime, str]]:
    return [(each.until, each.status) for each in market.all(ReconciliationRun)]


def at(market: Market, now: datetime) -> int:
    market.now = now
    market.control.set_clock(now)
    return reconcile(market.desk)


def test_a_day_is_reconciled_once_when_it_is_over_and_not_a_microsecond_before(market: Market) -> None:
    market.funded()
    assert at(market, MIDNIGHT - TICK) == 1
    assert runs(market) == [(MIDNIGHT - timedelta(days=1), "CLEAN")]
    assert at(market, MIDNIGHT - TICK) == 0
    assert at(market, MIDNIGHT) == 1
    assert runs(market)[1:] == [(MIDNIGHT, "CLEAN")]
    assert [at(market, MIDNIGHT + timedelta(hours=hour)) for hour in (1, 12, 23)] == [0, 0, 0]


def test_days_that_nobody_worked_are_one_run_up_to_last_midnight(market: Market) -> None:
    market.funded()
    assert at(market, MIDNIGHT) == 1
    assert at(market, MIDNIGHT + timedelta(days=6, hours=9)) == 1
    assert runs(market)[-1] == (MIDNIGHT + timedelta(days=6), "CLEAN")
    market.lawful()


def test_midnight_is_the_last_one_that_has_passed() -> None:
    assert last_midnight(MIDNIGHT) == MIDNIGHT
    assert last_midnight(MIDNIGHT - TICK) == MIDNIGHT - timedelta(days=1)
    assert last_midnight(MIDNIGHT + TICK) == MIDNIGHT


def test_a_run_that_cannot_reach_stripe_logs_a_sentence_and_no_traceback(market: Market) -> None:
    desk = replace(market.desk, payments=StripePayments("sk_test_x", base="http://127.0.0.1:9"))
    swept = _sweep("reconcile", partial(reconcile, desk))
    with capture_logs() as lines:
        swept(0)
        swept(0)
    assert [line["event"] for line in lines] == [
        "reconciliation.failed",
        "reconcile.failed",
        "reconciliation.failed",
    ], "the sweep says it once"
    for line in lines:
        assert line.get("exc_info") is None
        assert "no answer" in line["reason"]
    assert [status for _, status in runs(market)] == ["FAILED", "FAILED"]


def test_a_database_that_is_away_is_a_sentence_too(market: Market) -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:9/nothing", pool_size=1)
    with capture_logs() as lines:
        _sweep("reconcile", partial(reconcile, replace(market.desk, database=nowhere)))(0)
    assert [line["event"] for line in lines] == ["reconcile.failed"]
    assert lines[0]["reason"].startswith("The database is away: ")
    assert lines[0]["exc_info"] is None
