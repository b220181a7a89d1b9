"""The database goes away under a working desk and comes back: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.actions.funding import fund
from core.actions.milestones import verification
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres
from core.gateways.stripe_sandbox import StripeSandbox
from core.records import OutgoingOperation
from tests.database import migrate
from tests.faults.real_worker import a_minute_later, a_worker, until
from tests.sandbox_desk import Market, a_market


@pytest.fixture
def cluster(folder: Path) -> Iterator[EmbeddedPostgres]:
    own = EmbeddedPostgres(folder, settings={"max_connections": "50"}, say=lambda line: None)
    yield own
    own.stop()


@pytest.fixture
def market(cluster: EmbeddedPostgres, running_sandbox: StripeSandbox, folder: Path) -> Iterator[Market]:
    server = cluster.start()
    migrate(server.owner_url)
    database = Database(server.app_url)
    market = a_market(database, running_sandbox, folder)
    market.now = datetime.now(UTC)
    market.control.follow_wall_clock()
    yield market
    database.dispose()


def status_of(market: Market, number: int) -> str:
    return str(market.get(OutgoingOperation, number).status)


def said(folder: Path, *words: str) -> bool:
    log = (folder / "worker.log").read_text()
    return any(word in log for word in words)


def kill(folder: Path) -> None:
    """`kill -9` of the server itself, as when the machine loses power."""
    (pid_file,) = Path(folder).rglob("postmaster.pid")
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)


@pytest.mark.parametrize("hard", [False, True], ids=["stopped", "killed"])
def test_the_worker_waits_for_its_database_and_goes_on(
    market: Market, cluster: EmbeddedPostgres, folder: Path, hard: bool
) -> None:
    """The answer of a call comes while the database is away: it cannot be booked then, and is found afterwards."""
    told = market.submitted()
    market.now = datetime.now(UTC)
    market.control.follow_wall_clock()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    (transfer,) = market.operations("TRANSFER")
    slow = {"method": "POST", "path": "/v1/transfers", "when": "after", "seconds": 4}
    market.control.fault("timeout", **slow)  # type: ignore[arg-type]
    with a_worker(market) as worker:
        until(lambda: market.sent("/v1/transfers"))
        kill(folder) if hard else cluster.stop()
        market.database.dispose()
        # The answer came, and found no database to be written down in.
        until(lambda: said(folder, "sweep_dispatch.failed", "job.failed") or worker.poll() is not None)
        cluster.start()
        assert worker.poll() is None, "it waits"
        a_minute_later(market)
        until(lambda: status_of(market, transfer.id) == "SUCCEEDED")
        second = market.milestones(told.project)[1]
        market.act(fund.fund, market.payer, milestone_id=second.id)
        until(lambda: market.milestones(told.project)[1].status == "FUNDED")
    assert len(market.at_stripe("/v1/transfers")) == 1
    assert market.order(told) == {"released": 100_000}
    market.lawful()


def test_an_action_that_meets_a_database_that_is_away_changes_nothing(
    market: Market, cluster: EmbeddedPostgres
) -> None:
    from sqlalchemy.exc import OperationalError

    told = market.submitted()
    cluster.stop()
    with pytest.raises(OperationalError):
        market.act(verification.approve, market.payer, milestone_id=told.milestone)
    cluster.start()
    assert (market.status(told), market.order(told)) == ("PENDING_VERIFICATION", {"held": 100_000})
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    assert market.order(told) == {"payable": 100_000}
