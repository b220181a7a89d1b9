"""The process of the API dies in the middle of a request: the same request again is done once, and answered as once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from core.clock import system_clock
from core.demo.run import as_environment
from core.records import Party
from tests.api.api_client import a_key
from tests.api.test_standalone import Program, a_free_port
from tests.faults.real_worker import until
from tests.sandbox_desk import Market

ROOT = Path(__file__).resolve().parents[2]
POINTS = ("BEFORE_WRITE:1", "BEFORE_WRITE:3", "BEFORE_COMMIT:1", "AFTER_COMMIT:1")


@contextmanager
def a_dying_api(market: Market, *points: str) -> Iterator[Program]:
    port = a_free_port()
    environment = {**os.environ, **as_environment(market.desk.settings)}
    log = market.desk.settings.home / "api.log"
    with log.open("ab") as out:
        command = [sys.executable, "-m", "tests.faults.dying_api", str(port), *points]
        supervisor = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            program = Program(f"http://127.0.0.1:{port}", a_key(market.desk))
            until(lambda: _answers(program))
            yield program
        finally:
            os.killpg(supervisor.pid, 9)
            supervisor.wait()


def _answers(program: Program) -> bool:
    try:
        return requests.get(f"{program.address}/healthz", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def journals(market: Market) -> int:
    return market.read(lambda session: session.scalar(text("select count(*) from journals")) or 0)


def test_an_approval_is_done_once_whenever_its_process_dies(market: Market) -> None:
    market.now = system_clock() - timedelta(hours=31)  # the served processes live in our time
    told = market.submitted()
    payer = market.get(Party, market.payer_id).external_id
    before = journals(market)
    path, said = f"/milestones/{told.milestone}/approve", {"party": payer}
    with a_dying_api(market, *POINTS) as program:
        for point in POINTS:
            with pytest.raises(requests.ConnectionError):
                pytest.fail(program.send("POST", path, said, key="once").text)
            done = point.startswith("AFTER")
            assert (market.status(told), journals(market) - before) == (
                ("VERIFIED", 1) if done else ("PENDING_VERIFICATION", 0)
            ), point
            until(lambda: _answers(program))
        answers = [program.send("POST", path, said, key="once") for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200], answers[0].text
    assert [each.headers.get("Idempotent-Replayed") for each in answers] == ["true", "true"]
    assert answers[0].json() == answers[1].json()
    assert (journals(market) - before, len(market.operations("TRANSFER"))) == (1, 1)
    market.lawful()
