from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import text

from core.clock import system_clock
from core.db import Database
from core.embedded_postgres import Urls
from core.notifications import tell
from core.policy import LETTERS_GATHERED_FOR
from core.processes.leases import CLAIMED_FOR
from core.records import Notification
from tests import patience
from tests.parties import a_kitchen
from tests.smtp_server import PostOffice, post_office

ROOT = Path(__file__).resolve().parents[2]


class SlowOffice:
    """Holds every letter in its hands until it is let go, then says yes."""

    def __init__(self, office: PostOffice) -> None:
        self.office = office
        self.in_hand = threading.Event()
        self.let_go = threading.Event()
        office.data = self._hold

    def _hold(self, letter: bytes) -> str:
        self.in_hand.set()
        self.let_go.wait(timeout=patience.SECONDS)
        return "250 kept"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.office.port}"


@pytest.fixture
def office() -> Iterator[SlowOffice]:
    with post_office() as open_office:
        slow = SlowOffice(open_office)
        yield slow
        slow.let_go.set()


@contextmanager
def a_worker(
    urls: Urls, home: Path, office: SlowOffice, *, ahead: float = 0
) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [urls.app_url, str(home), office.url, str(int(ahead))]
    process = subprocess.Popen([sys.executable, "-m", "tests.faults.worker_process", *arguments], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(happened: Callable[[], bool], *, within: float = patience.SECONDS) -> None:
    end = monotonic() + within
    while not happened():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.1)


def letters_are_due(owner: Database) -> None:
    """Two that are not urgent, written long enough ago to go together."""
    kitchen, now = a_kitchen(owner), system_clock() - LETTERS_GATHERED_FOR
    with owner.transaction() as session:
        for template in ("thanks", "project_review_request"):
            tell(session, template, party_id=kitchen.payer, project_id=kitchen.project, key=template, now=now)


def the_letter(database: Database) -> Notification:
    with database.reading() as session:
        return session.get_one(Notification, 1)


def running_jobs(database: Database) -> list[int]:
    running = text("select id from procrastinate_jobs where status = 'doing' and task_name = 'sweep_letters'")
    with database.reading() as session:
        return list(session.scalars(running))


def test_what_a_killed_worker_had_in_hand_is_finished_by_another(
    urls: Urls, database: Database, owner: Database, tmp_path: Path, office: SlowOffice
) -> None:
    letters_are_due(owner)
    with a_worker(urls, tmp_path, office) as victim:
        assert office.in_hand.wait(timeout=patience.SECONDS)
        victim.kill()
        victim.wait()
    left_behind = running_jobs(database)
    assert left_behind, "the dead worker's job still counts as running"
    office.let_go.set()
    with a_worker(urls, tmp_path, office, ahead=CLAIMED_FOR.total_seconds() + 1):
        until(lambda: the_letter(database).status == "SENT")
        until(lambda: not set(left_behind) & set(running_jobs(database)))
    first, second = office.office.letters
    assert first == second, "the same mail with the same Message-ID, and both letters in it"
    assert b"Subject: 2 updates about" in first


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_stop_finishes_what_it_does(
    urls: Urls, database: Database, owner: Database, tmp_path: Path, office: SlowOffice, asked: signal.Signals
) -> None:
    letters_are_due(owner)
    with a_worker(urls, tmp_path, office) as worker:
        assert office.in_hand.wait(timeout=patience.SECONDS)
        worker.send_signal(asked)
        sleep(1)
        assert worker.poll() is None, "the letter is still in its hands"
        office.let_go.set()
        assert worker.wait(timeout=patience.SECONDS) == 0
    assert (the_letter(database).status, the_letter(database).tries) == ("SENT", 1)
    assert running_jobs(database) == []


def test_a_worker_that_is_asked_twice_stops_at_once(
    urls: Urls, owner: Database, tmp_path: Path, office: SlowOffice
) -> None:
    letters_are_due(owner)
    with a_worker(urls, tmp_path, office) as worker:
        assert office.in_hand.wait(timeout=patience.SECONDS)
        worker.send_signal(signal.SIGINT)
        sleep(1)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(timeout=patience.SECONDS) == -signal.SIGINT
