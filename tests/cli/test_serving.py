"""What runs until it is stopped: in a process of its own, on a real database, ended by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from core.demo import home as own_home
from core.demo import settings_file
from core.demo.run import free_port
from tests import builders, patience
from tests.cli.terminal import ROOT, Terminal

pytestmark = pytest.mark.slow


@contextmanager
def running(terminal: Terminal, log: Path, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "core.cli", *map(str, arguments)]
    environment = {**terminal.environment, "PATH": os.environ["PATH"]}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def asked(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = monotonic() + 60
    while monotonic() < until:
        assert process.poll() is None, log.read_text()
        with suppress(OSError):
            if asked(f"{address}/readyz") == 200:
                return
        sleep(0.1)
    raise TimeoutError(log.read_text())


@pytest.mark.parametrize(("arguments", "sign_in"), [(["--api-only"], 404), ([], 200)])
def test_the_api_is_served_alone_or_beside_the_pages(
    terminal: Terminal, town: builders.Town, tmp_path: Path, arguments: list[str], sign_in: int
) -> None:
    port, log = free_port(), tmp_path / "log"
    with running(terminal, log, "serve", "--port", port, *arguments) as process:
        address = f"http://127.0.0.1:{port}"
        ready(address, process, log)
        assert asked(f"{address}/healthz") == asked(f"{address}/metrics") == 200
        assert asked(f"{address}/api/v1/openapi.json") == 200
        assert asked(f"{address}/api/v1/projects/1") == 401
        assert asked(f"{address}/sign-in") == sign_in
        second = terminal.process("serve", "--port", port, *arguments)
        second.refuses(str(port), "choose another port with --port")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=patience.SECONDS)
    assert "Traceback" not in log.read_text()


def test_without_a_database_of_its_own_the_demo_that_runs_is_served(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    home, port, log = tmp_path / ".escrow-desk", free_port(), tmp_path / "log"
    own_home.claim(home)
    settings_file.remember(home, terminal.environment | {"ESCROW_DESK_HOME": str(home)})
    shell = Terminal({"ESCROW_DESK_HOME": str(home)})
    with running(shell, log, "serve", "--api-only", "--port", port) as process:
        ready(f"http://127.0.0.1:{port}", process, log)


def test_a_worker_seals_what_was_written_and_ends_when_it_is_asked_to(
    terminal: Terminal, town: builders.Town, tmp_path: Path, home: Path
) -> None:
    log = tmp_path / "log"
    with running(terminal, log, "worker") as process:
        until = monotonic() + 60
        while not list((home / "checkpoints").glob("*.jsonl")) and monotonic() < until:
            assert process.poll() is None, log.read_text()
            sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=patience.SECONDS) == 0, log.read_text()
    assert list((home / "checkpoints").glob("*.jsonl"))
    assert "Traceback" not in log.read_text()
