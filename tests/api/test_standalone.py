"""`escrow-desk serve --api-only` as an operator starts it: the API over real HTTP, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Barrier
from time import monotonic, sleep, time
from typing import Any

import pytest
import requests
from escrow_desk_client import Client, Problem

from core.api.http.api_keys import Issued
from core.api.http.signing import sign_request
from core.clock import system_clock
from core.demo.run import as_environment
from core.records import Party, Project
from core.rules import evidence
from tests import patience
from tests.api.api_client import a_key
from tests.sandbox_desk import Market

ROOT = Path(__file__).resolve().parents[2]
numbers = count(1)


@dataclass
class Program:
    """A marketplace's program on another machine: `requests`, a key, and its own clock."""

    address: str
    issued: Issued

    def send(
        self, method: str, path: str, body: Any = None, *, key: str = "", late: int = 0
    ) -> requests.Response:
        target, content = f"/api/v1{path}", b"" if body is None else json.dumps(body).encode()
        key = key or (f"alone-{next(numbers)}" if method == "POST" else "")
        signature = sign_request(
            self.issued.signing_secret,
            at=int(time()) - late,
            method=method,
            target=target,
            idempotency_key=key,
            body_sha256=hashlib.sha256(content).hexdigest(),
        )
        headers = {
            "Authorization": f"Bearer {self.issued.api_key}",
            "Desk-Signature": signature,
            "Content-Type": "application/json",
            **({"Idempotency-Key": key} if key else {}),
        }
        return requests.request(
            method, self.address + target, data=content, headers=headers, timeout=patience.SECONDS
        )


def a_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(market: Market) -> Iterator[str]:
    port = a_free_port()
    environment = {**os.environ, **as_environment(market.desk.settings)}
    log = market.desk.settings.home / "api.log"
    with log.open("ab") as out:
        command = [sys.executable, "-m", "core.cli", "serve", "--api-only", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            address, end = f"http://127.0.0.1:{port}", monotonic() + 90
            while not _ready(address):
                assert process.poll() is None, log.read_text()
                assert monotonic() < end, log.read_text()
                sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=patience.SECONDS)


def _ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/readyz", timeout=5).status_code in (200, 503)
    except requests.ConnectionError:
        return False


@pytest.fixture
def program(market: Market) -> Iterator[Program]:
    market.now = system_clock()  # the served process lives in our time
    with served(market) as address:
        yield Program(address, a_key(market.desk))


def test_the_api_alone_takes_signed_requests_and_has_no_pages(market: Market, program: Program) -> None:
    names = [market.get(Party, each).external_id for each in (market.payer_id, market.payee_id)]
    bid = {
        "bid_reference": "alone",
        "payer": names[0],
        "payee": names[1],
        "title": "New kitchen",
        "scope": "As drawn.",
        "project_type": "KITCHEN",
        "fee_mode": "STAGED",
        "total": {"minor": 150_000, "currency": "USD"},
    }
    made = program.send("POST", "/bids", bid, key="once")
    assert made.status_code == 201, made.text
    again = program.send("POST", "/bids", bid, key="once")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (made.json(), "true")
    other = program.send("POST", "/bids", bid | {"title": "Old kitchen"}, key="once")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    read = program.send("GET", f"/projects/{made.json()['id']}")
    assert (read.status_code, read.json()["bid_reference"]) == (200, "alone")
    assert market.count(Project) == 1

    late = program.send("GET", f"/projects/{made.json()['id']}", late=302)
    assert (late.status_code, late.json()["code"]) == (401, "signature_stale")
    assert late.headers["Content-Type"] == "application/problem+json"
    assert requests.get(f"{program.address}/api/v1/projects/1", timeout=patience.SECONDS).status_code == 401
    assert "examples" in requests.get(f"{program.address}/api/v1/openapi.json", timeout=patience.SECONDS).text
    for page in ("/", "/sign-in", "/disputes", "/_stcore/health"):
        assert requests.get(program.address + page, timeout=patience.SECONDS).status_code == 404


def test_who_sends_too_much_hears_that_it_was_too_much(market: Market, program: Program) -> None:
    desk = Client(program.address, program.issued.api_key, program.issued.signing_secret, tries=1)
    film = ("film.mp4", b"\0" * (evidence.MAX_BYTES + 8_000_000), "video/mp4")
    with pytest.raises(Problem) as refused:
        desk.submit_evidence(1, {"party": "x", "caption": "The whole day"}, film)
    assert (refused.value.status, refused.value.code) == (413, "body_too_large")
    with pytest.raises(Problem) as refused:
        desk.accept_bid({"scope": "x" * 9_000_000})
    assert (refused.value.status, refused.value.code) == (413, "body_too_large")


def test_all_who_ask_at_once_are_answered(market: Market, program: Program) -> None:
    """More readers than the process has threads, and more threads than connections to the database."""
    readers = 90  # a key may ask a hundred at once
    together = Barrier(readers)

    def read(_: int) -> int:
        together.wait()
        return program.send("GET", "/projects").status_code

    with ThreadPoolExecutor(readers) as pool:
        assert Counter(pool.map(read, range(readers))) == {200: readers}
