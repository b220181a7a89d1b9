"""What stops while the demo runs is said and started again: worker, dashboard, sandbox and PostgreSQL, each killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from core.demo import parts
from core.demo.parts import Pause, how, without_settings
from core.demo.run import free_port
from core.embedded_postgres.place import place_for
from core.embedded_postgres.process import postmaster
from tests import patience

ROOT = Path(__file__).resolve().parents[2]


def test_each_pause_is_longer_and_none_longer_than_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(parts, "monotonic", lambda: now[0])
    pause = Pause(since=0.0)
    lengths = []
    for _ in range(9):
        lengths.append(pause.begin())
        assert not pause.over
        now[0] += lengths[-1]
        assert pause.over
        pause.end()
    assert lengths == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    now[0] += parts.SETTLED_AFTER + 1
    assert pause.begin() == 0.5


def test_how_a_part_ended_is_said() -> None:
    assert (how(-9), how(1), how(-250)) == ("signal 9, SIGKILL", "exit code 1", "signal 250")


def test_what_the_shell_says_about_another_desk_is_not_passed_on() -> None:
    shell = {
        "SMTP_URL": "smtp://x",
        "EVIDENCE_KEY": "x",
        "API_MASTER_KEY": "x",
        "ESCROW_DESK_CHECKPOINT_BUCKET": "s3://x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "HOST": "0.0.0.0",
        "PATH": "/bin",
        "HOME": "/",
    }
    assert without_settings(shell) == {"PATH": "/bin", "HOME": "/"}


@contextmanager
def running(home: Path, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "core.cli", "demo", "--port", str(port), "--scale", "0.02"]
    environment = {**os.environ, "ESCROW_DESK_HOME": str(home), "SMTP_URL": "smtp://127.0.0.1:9"}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=patience.SECONDS)


def until(
    happened: Callable[[], object], log: Path, process: subprocess.Popen[bytes], within: float = 600
) -> None:
    end = time.monotonic() + within
    while not happened():
        assert process.poll() is None, log.read_text()[-3_000:]
        assert time.monotonic() < end, log.read_text()[-3_000:]
        time.sleep(0.1)


def asked(address: str, accept: str = "text/html") -> tuple[int, str]:
    request = urllib.request.Request(address, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except OSError:
        return 0, ""


def process_of(home: Path, *words: str) -> int:
    """The demo's own child with these words in its command line; the home tells it from anybody else's."""
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (each / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environment = (each / "environ").read_bytes().decode(errors="replace")
            if all(word in command for word in words) and str(home) in environment + " ".join(command):
                return int(each.name)
    return 0


@pytest.mark.slow
def test_a_demo_whose_parts_are_killed_says_so_and_goes_on(tmp_path: Path) -> None:
    home, log, port = tmp_path / "home", tmp_path / "log", free_port()
    tmp_path.chmod(0o711)
    address = f"http://127.0.0.1:{port}"

    def said(words: str) -> bool:
        return words in " ".join(log.read_text().split())

    def healthy() -> bool:
        return asked(f"{address}/readyz")[0] == 200

    with running(home, port, log) as process:
        until(lambda: said("Escrow Desk is at"), log, process)
        for name, words in {
            "worker": ("core.cli", "worker"),
            "dashboard": ("dashboard.server",),
            "sandbox": ("core.gateways.stripe_sandbox",),
        }.items():
            killed = process_of(home, *words)
            assert killed, name
            os.kill(killed, signal.SIGKILL)
            until(lambda name=name: said(f"The {name} stopped (signal 9, SIGKILL"), log, process)  # type: ignore[misc]
            until(lambda name=name: said(f"The {name} runs again."), log, process)  # type: ignore[misc]
        until(healthy, log, process)
        _database_killed(home, address, log, process, said)
        second = subprocess.run(
            [sys.executable, "-m", "core.cli", "demo", "--port", str(free_port()), "--reset"],
            cwd=ROOT, env={**os.environ, "ESCROW_DESK_HOME": str(home)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert second.returncode == 2
        assert "A demo is running in" in " ".join(second.stderr.split())
    assert process.returncode == 0, log.read_text()[-3_000:]
    assert "Traceback" not in log.read_text()
    assert postmaster(place_for(home).data) is None
    assert list((home / "mail").iterdir()), (
        "letters of a demo are files, whatever mail server the shell names"
    )


def _database_killed(
    home: Path, address: str, log: Path, process: subprocess.Popen[bytes], said: Callable[[str], bool]
) -> None:
    """While the database is away every address says so, and all goes on when it is back."""
    place = place_for(home)
    access = place.data / "pg_hba.conf"
    away = access.with_name("pg_hba.away")
    access.rename(away)  # so that it cannot start again until we let it
    number = postmaster(place.data)
    assert number
    os.kill(number, signal.SIGQUIT)
    until(lambda: said("PostgreSQL stopped"), log, process)
    until(lambda: said("PostgreSQL does not start"), log, process)
    for path in ("/sign-in", "/disputes", "/"):
        status, text = asked(f"{address}{path}")
        assert (status, "cannot be reached just now" in text) == (503, True), path
    for path in ("/sign-in", "/api/v1/projects/1", "/readyz"):
        status, text = asked(f"{address}{path}", "application/json")
        assert status in (503, 401), (path, status)
        assert isinstance(json.loads(text), dict)
    assert asked(f"{address}/healthz")[0] == 200
    assert "escrow_desk_database_up 0" in asked(f"{address}/metrics")[1]
    away.rename(access)
    until(lambda: said("PostgreSQL runs again."), log, process)
    until(lambda: asked(f"{address}/sign-in")[0] == 200, log, process)
    kept = json.loads((home / "settings.json").read_text())["DATABASE_URL"].replace("+psycopg", "", 1)

    def worker_alive() -> bool:
        with psycopg.connect(kept) as connection:
            row = connection.execute(
                "select count(*) from procrastinate_workers where last_heartbeat > now() - interval '5 seconds'"
            ).fetchone()
            return bool(row and row[0])

    until(worker_alive, log, process)
