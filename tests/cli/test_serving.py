"""What runs until it is stopped: in a process of its own, on a real database, ended by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import text

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
    until = monotonic() + patience.SECONDS
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


def test_two_processes_share_the_port_of_the_api_and_one_that_dies_is_replaced(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    with running(terminal, log, "serve", "--port", port, "--api-only", "--processes", 2) as process:
        address = f"http://127.0.0.1:{port}"
        ready(address, process, log)
        awaited(lambda: len(children(process.pid)) == 2)
        victim = max(children(process.pid))
        os.kill(victim, signal.SIGKILL)
        awaited(lambda: len(children(process.pid) - {victim}) == 2)
        ready(address, process, log)
        assert asked(f"{address}/api/v1/projects/1") == 401
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=patience.SECONDS)
    refused = terminal.process("serve", "--port", port, "--processes", 2)
    refused.refuses("Start each dashboard on a port of its own")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_workers_side_by_side_end_together(
    terminal: Terminal, town: builders.Town, tmp_path: Path, how: signal.Signals
) -> None:
    log = tmp_path / "log"
    with running(terminal, log, "worker", "--processes", 2) as process:
        awaited(lambda: alive(town) == 2)
        process.send_signal(how)
        assert process.wait(timeout=patience.SECONDS) == 0, log.read_text()
    with running(terminal, log, "worker", "--processes", 2) as process:
        awaited(lambda: len(children(process.pid)) == 2 and alive(town) >= 2)
        os.kill(min(children(process.pid)), signal.SIGKILL)
        assert process.wait(timeout=patience.SECONDS) != 0
    assert not children(process.pid)


def children(process: int) -> set[int]:
    """Those that it began, without Python's own that keeps count of what they share."""
    command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(process)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return {int(each.split()[0]) for each in found if "resource_tracker" not in each}


def alive(town: builders.Town) -> int:
    counted = text("select count(*) from procrastinate_workers")
    return int(town.read(lambda session: session.scalar(counted)))


def awaited(happened: Callable[[], object]) -> None:
    until = monotonic() + patience.SECONDS
    while not happened():
        assert monotonic() < until, "it did not happen in time"
        sleep(0.1)


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
        until = monotonic() + patience.SECONDS
        while not list((home / "checkpoints").glob("*.jsonl")) and monotonic() < until:
            assert process.poll() is None, log.read_text()
            sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=patience.SECONDS) == 0, log.read_text()
    assert list((home / "checkpoints").glob("*.jsonl"))
    assert "Traceback" not in log.read_text()
