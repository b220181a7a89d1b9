from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import text

from core import audit, jobs, worker
from core.config import Settings
from core.db import Database
from core.gateways.object_store import Bucket
from core.money import Money
from core.notifications import tell
from core.outbox import OperationKeyReused, enqueue
from core.records import Notification, OutgoingOperation
from core.rules.permissions import SYSTEM
from tests import patience
from tests.bucket_server import bucket_server
from tests.desk_fixtures import a_desk
from tests.parties import NOW, Kitchen, a_kitchen
from tests.timestamp_authority import timestamp_authority


def queued(database: Database) -> list[dict[str, Any]]:
    with database.reading() as session:
        rows = session.execute(
            text("select task_name, args, scheduled_at from procrastinate_jobs order by id")
        )
        return [dict(row._mapping) for row in rows]


def a_refund(database: Database, kitchen: Kitchen, *, cents: int = 5000) -> OutgoingOperation:
    return database.run(
        lambda session: enqueue(
            session,
            key="refund-1",
            kind="REFUND",
            milestone_id=kitchen.milestone,
            party_id=kitchen.payer,
            amount=Money(cents, "USD"),
            payload={"payment_intent": "pi_1"},
            now=NOW,
        )
    )


def test_a_job_is_committed_with_its_transaction_exactly_once(database: Database) -> None:
    with database.transaction() as session:
        jobs.defer(session, jobs.INBOX, event_id="evt_1")
        assert queued(database) == []
    assert [(job["task_name"], job["args"]) for job in queued(database)] == [("inbox", {"event_id": "evt_1"})]


def test_a_job_is_rolled_back_with_its_transaction(database: Database) -> None:
    with database.reading() as session:
        jobs.defer(session, jobs.INBOX, event_id="evt_1")
    assert queued(database) == []


def test_a_job_may_wait_for_its_time(database: Database) -> None:
    with database.transaction() as session:
        jobs.defer(session, jobs.DISPATCH, at=NOW + timedelta(days=3650), operation_id=1)
    assert queued(database)[0]["scheduled_at"] == NOW + timedelta(days=3650)


def test_no_job_is_written_where_the_simulation_drives(database: Database) -> None:
    simulation = Database(database.url.render_as_string(hide_password=False), info={"jobs": False})
    with simulation.transaction() as session:
        jobs.defer(session, jobs.INBOX, event_id="evt_1")
    simulation.dispose()
    assert queued(database) == []


def test_a_task_that_no_worker_knows_is_refused(database: Database) -> None:
    with database.reading() as session, pytest.raises(jobs.UnknownTask):
        jobs.defer(session, "dispach", operation_id=1)


def test_an_operation_is_written_with_the_job_that_sends_it(database: Database, owner: Database) -> None:
    operation = a_refund(database, a_kitchen(owner))
    assert [(job["task_name"], job["args"]) for job in queued(database)] == [
        ("dispatch", {"operation_id": operation.id})
    ]
    assert (operation.status, operation.attempt, operation.next_try_at) == ("QUEUED", 1, NOW)


def test_the_same_operation_again_is_the_same_row_and_no_second_job(
    database: Database, owner: Database
) -> None:
    kitchen = a_kitchen(owner)
    assert a_refund(database, kitchen).id == a_refund(database, kitchen).id
    assert len(queued(database)) == 1


def test_four_at_once_write_one_operation(database: Database, owner: Database) -> None:
    kitchen = a_kitchen(owner)
    with ThreadPoolExecutor(4) as threads:
        ids = set(threads.map(lambda _: a_refund(database, kitchen).id, range(8)))
    assert len(ids) == len(queued(database)) == 1


def test_an_operation_key_with_other_contents_is_refused(database: Database, owner: Database) -> None:
    kitchen = a_kitchen(owner)
    a_refund(database, kitchen)
    with pytest.raises(OperationKeyReused):
        a_refund(database, kitchen, cents=5001)


@contextmanager
def a_worker(database: Database, home: Path, **settings: Any) -> Iterator[None]:
    stop = threading.Event()
    desk = a_desk(database, home, **settings)
    thread = threading.Thread(target=worker.run, args=(desk,), kwargs={"stop": stop})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=patience.SECONDS)
        assert not thread.is_alive(), "the worker did not stop"


def until(happened: Any, *, within: float = patience.SECONDS) -> None:
    end = monotonic() + within
    while not happened():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.05)


def test_a_running_worker_delivers_letters_and_seals_the_log(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    kitchen = a_kitchen(owner)
    with a_worker(database, tmp_path):
        with database.transaction() as session:
            tell(session, "thanks", party_id=kitchen.payer, project_id=kitchen.project, key="thanks", now=NOW)
            audit.record(
                session,
                SYSTEM,
                "system:project:complete",
                object_kind="project",
                object_id=kitchen.project,
                now=NOW,
            )
        until(lambda: list((tmp_path / "mail").glob("*.eml")))
        until(lambda: list((tmp_path / "checkpoints").glob("*")))

        def sent() -> bool:
            with database.reading() as session:
                return session.get_one(Notification, 1).status == "SENT"

        until(sent)


def test_a_worker_writes_checkpoints_outside_and_seals_also_where_it_cannot(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    home, away = tmp_path / "home", tmp_path / "outside"

    def signed(folder: Path) -> int:
        return sum(len(each.read_bytes().splitlines()) for each in folder.glob("*.jsonl"))

    def entry() -> None:
        with database.transaction() as session:
            audit.record(
                session, SYSTEM, "system:project:complete", object_kind="project", object_id=1, now=NOW
            )

    with a_worker(database, home, outside_checkpoints=away):
        entry()
        until(lambda: signed(home / "checkpoints") >= 1)
        until(lambda: list((home / "checkpoints").glob("*.outside-folder.json")))
        assert not away.exists()
        before = signed(home / "checkpoints")
        entry()
        until(lambda: signed(home / "checkpoints") > before)
        away.mkdir()
        until(lambda: signed(away) == signed(home / "checkpoints"))
        until(lambda: list(away.glob("*.checkpoint")))


def test_a_worker_looks_after_each_place_by_itself_so_one_that_is_away_delays_no_other(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    with bucket_server() as said, timestamp_authority(tmp_path / "authority") as tsa:
        also = {
            "outside_checkpoints": tmp_path / "nowhere",
            "timestamp_url": tsa.url,
            "timestamp_certificate": tsa.root,
        }
        with a_worker(database, tmp_path, **said, **also):
            with database.transaction() as session:
                audit.record(
                    session, SYSTEM, "system:project:complete", object_kind="project", object_id=1, now=NOW
                )
            bucket = Bucket(said["checkpoint_bucket"], Settings(home=tmp_path, **said))
            until(lambda: list((tmp_path / "checkpoints").glob("*.timestamps")))
            (ledger,) = {each.stem for each in (tmp_path / "checkpoints").glob("*.jsonl")}
            until(lambda: list(bucket.keys(ledger)))
            until(lambda: list((tmp_path / "checkpoints").glob("*.outside-folder.json")))
    assert not (tmp_path / "nowhere").exists()


def unfinished(database: Database, task: str) -> list[dict[str, Any]]:
    return [job["args"] for job in queued(database) if job["task_name"] == task]


def test_a_worker_runs_nudges_and_keeps_the_ones_that_broke(database: Database, tmp_path: Path) -> None:
    with a_worker(database, tmp_path):
        with database.transaction() as session:
            jobs.defer(session, jobs.INBOX, event_id="the first is slow: it imports")
        until(lambda: not unfinished(database, jobs.INBOX))
        with database.transaction() as session:
            for number in (1, 2, 3):
                jobs.defer(session, jobs.INBOX, event_id=f"evt_{number}")
            jobs.defer(session, jobs.INBOX, not_what_it_takes=4)
        until(lambda: unfinished(database, jobs.INBOX) == [{"not_what_it_takes": 4}])
        sleep(0.5)
    assert unfinished(database, jobs.INBOX) == [{"not_what_it_takes": 4}]


def test_a_worker_survives_a_database_that_hangs_up(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    with a_worker(database, tmp_path):
        with database.transaction() as session:
            jobs.defer(session, jobs.INBOX, event_id="evt_1")
        until(lambda: not unfinished(database, jobs.INBOX))
        with owner.transaction() as session:
            session.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
            )
        with database.transaction() as session:
            jobs.defer(session, jobs.INBOX, event_id="evt_2")
        until(lambda: not unfinished(database, jobs.INBOX))


def test_job_arguments_are_plain_json(database: Database) -> None:
    with database.transaction() as session:
        jobs.defer(session, jobs.INBOX, event_id="evt_\"'{}")
    assert json.loads(json.dumps(queued(database)[0]["args"])) == {"event_id": "evt_\"'{}"}
