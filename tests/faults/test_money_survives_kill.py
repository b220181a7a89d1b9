"""`kill -9` of the worker with a call in its hands: after the restart exactly one movement of money exists.

The operation is committed as SENDING before the call (docs/decisions/0004). The worker is killed while the provider
keeps it waiting: before the provider did the work, or after.
"""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.actions.funding import fund
from core.actions.milestones import verification
from core.db import Database
from core.gateways.stripe_sandbox import StripeSandbox
from core.records import OutgoingOperation
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders, patience
from tests.builders import Told
from tests.faults.real_worker import a_minute_later, a_worker, until
from tests.sandbox_desk import Market, a_market


@pytest.fixture
def market(database: Database, running_sandbox: StripeSandbox, tmp_path: Path) -> Market:
    """Today: the worker lives by the real clock."""
    market = a_market(database, running_sandbox, tmp_path)
    market.now = datetime.now(UTC)
    market.control.follow_wall_clock()
    return market


def _charge(market: Market) -> Told:
    project = market.agreed()
    first = market.milestones(project.id)[0]
    market.act(fund.fund, market.payer, milestone_id=first.id)
    return Told(project.id, first.id)


def _transfer(market: Market) -> Told:
    told = market.submitted()
    market.now = datetime.now(UTC)
    market.control.follow_wall_clock()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    return told


def _refund(market: Market) -> Told:
    told = builders.in_mediation(market, market.funded())
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    market.now = datetime.now(UTC)
    market.control.follow_wall_clock()
    builders.decided(market, told, draft)
    return told


CALLS = {
    "charge": (_charge, "/v1/payment_intents", "charge_settled", {"held": 100_000}),
    "transfer": (_transfer, "/v1/transfers", "withdrawal", {"released": 100_000}),
    "refund": (_refund, "/v1/refunds", "refund_succeeded", {"refunded": 100_000}),
}


def status_of(market: Market, number: int) -> str:
    return str(market.get(OutgoingOperation, number).status)


def journals(market: Market, kind: str) -> int:
    with market.database.reading() as session:
        found = text("select count(*) from journals where kind = :kind")
        return int(session.execute(found, {"kind": kind}).scalar_one())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_a_killed_worker_leaves_nothing_half_done_and_nothing_done_twice(
    market: Market, call: str, when: str
) -> None:
    prepare, path, journal, ends = CALLS[call]
    told = prepare(market)
    (operation,) = [each for each in market.operations() if each.status == "QUEUED"]
    market.control.fault("timeout", method="POST", path=path, when=when, seconds=600)
    with a_worker(market) as victim:
        until(lambda: market.sent(path)[-1:] and market.sent(path)[-1]["dropped"])
        assert status_of(market, operation.id) == "SENDING", "committed before the call"
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    done = [each for each in market.at_stripe(path) if each["metadata"].get("op") == operation.key]
    assert len(done) == (when == "after")
    assert (status_of(market, operation.id), journals(market, journal)) == ("SENDING", 0)

    a_minute_later(market)
    with a_worker(market):
        until(lambda: status_of(market, operation.id) == "SUCCEEDED")
    made = [each for each in market.at_stripe(path) if each["metadata"].get("op") == operation.key]
    assert len(made) == 1
    assert journals(market, journal) == 1
    assert market.order(told) == ends
    assert {
        each["idempotency_key"]
        for each in market.sent(path)
        if each["body"]["metadata"]["op"] == operation.key
    } == {f"{operation.key}:1"}
    market.lawful()


def test_two_workers_after_a_kill_take_up_the_call_once(market: Market) -> None:
    told = _transfer(market)
    (operation,) = market.operations("TRANSFER")
    market.control.fault("timeout", method="POST", path="/v1/transfers", seconds=600)
    with a_worker(market) as victim:
        until(lambda: market.sent("/v1/transfers"))
        victim.kill()
        victim.wait()
    a_minute_later(market)
    with a_worker(market), a_worker(market):
        until(lambda: status_of(market, operation.id) == "SUCCEEDED")
    assert len(market.at_stripe("/v1/transfers")) == 1
    assert (journals(market, "withdrawal"), market.order(told)) == (1, {"released": 100_000})
    market.lawful()


def test_a_worker_asked_to_stop_finishes_the_call_it_has_begun(market: Market) -> None:
    told = _transfer(market)
    (operation,) = market.operations("TRANSFER")
    slow: dict[str, Any] = {"method": "POST", "path": "/v1/transfers", "when": "after", "seconds": 3}
    market.control.fault("timeout", **slow)
    with a_worker(market) as worker:
        until(lambda: market.sent("/v1/transfers"))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=patience.SECONDS) == 0
    assert status_of(market, operation.id) in ("QUEUED", "SUCCEEDED"), "its outcome is written down"
    with a_worker(market):
        until(lambda: status_of(market, operation.id) == "SUCCEEDED")
    assert len(market.at_stripe("/v1/transfers")) == 1
    assert market.order(told) == {"released": 100_000}
    market.lawful()
