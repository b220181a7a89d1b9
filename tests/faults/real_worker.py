"""The worker as an operator starts it: `python -m core.cli worker`, in a process of its own that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import text

from core.demo.run import as_environment
from tests import patience
from tests.sandbox_desk import Market

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def a_worker(market: Market) -> Iterator[subprocess.Popen[bytes]]:
    """Runs on the market's database and sandbox until the block ends; its words go to `worker.log` in the home."""
    environment = {**os.environ, **as_environment(market.desk.settings)}
    log = market.desk.settings.home / "worker.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.cli", "worker"], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(happened: Callable[[], object], *, within: float = patience.SECONDS) -> None:
    end = monotonic() + within
    while not happened():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.1)


def a_minute_later(market: Market) -> None:
    """What a dead worker had in its hands counts as left behind after a minute; here the minute is not waited for."""
    with market.database.transaction() as session:
        session.execute(
            text(
                "update outgoing_operations set sending_since = sending_since - interval '61 seconds'"
                " where status = 'SENDING'"
            )
        )
