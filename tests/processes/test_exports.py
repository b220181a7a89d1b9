"""A file that is made beside the pages: whole or not at all, for the session that asked for it, once, not for long."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core import ledger_export
from core.actions.exports import requests
from core.actions.staff import sessions
from core.audit import export_proof
from core.clock import system_clock
from core.db import Database
from core.desk import Desk
from core.embedded_postgres import Urls
from core.gateways.resumed_file import EarlierTry, Trail, begun
from core.ledger_export import LedgerFilter, LedgerFormat
from core.processes import exports
from core.records import Export, StaffSession
from core.rules.exports import KEPT, LEASE, TRIES, ExportGone, ExportKind
from core.rules.permissions import Actor, NotPermitted
from tests import builders, patience
from tests.builders import Town
from tests.database import as_owner
from tests.desk_fixtures import a_desk

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Office:
    """A town whose people ask for exports, and the desk that makes them."""

    town: Town
    desk: Desk

    def signed_in(self, subject: str) -> Actor:
        def begin(session: object) -> Actor:
            token = sessions.sign_in(session, staff_id=self.town.staff[subject], now=self.town.now)  # type: ignore[arg-type]
            found = sessions.resolve(session, token, now=self.town.now)  # type: ignore[arg-type]
            assert found is not None
            return found.actor

        return self.town.database.run(begin)

    def asked(self, actor: Actor, kind: ExportKind = ExportKind.LEDGER) -> int:
        return self.town.act(requests.request, actor, kind=kind, format="csv", ending="csv", filter={})

    def row(self, export_id: int) -> Export:
        return self.town.read(
            lambda session: session.scalars(select(Export).where(Export.id == export_id)).one()
        )

    def taken(self, actor: Actor, export_id: int) -> bytes:
        out = io.BytesIO()
        exports.hand_out(self.desk, actor, now=self.town.now, export_id=export_id, out=out)
        return out.getvalue()

    @property
    def files(self) -> set[str]:
        return {each.name for each in (self.desk.settings.home / "exports").glob("*")}

    def actions(self) -> list[str]:
        query = text("select action from audit_entries where object_kind = 'export' order by id")
        return list(self.town.read(lambda session: session.scalars(query).all()))


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    town = builders.a_town(database)
    builders.funded(town)
    with as_owner(database) as session:  # what the worker writes in its owner's name takes no demo
        session.execute(text("update installation set demo = false"))
    return Office(town, a_desk(database, tmp_path, clock=lambda: town.now))


@pytest.mark.parametrize("kind", list(ExportKind))
def test_it_is_made_given_out_once_and_each_step_is_in_the_log(office: Office, kind: ExportKind) -> None:
    cora = office.signed_in("cora")
    number = office.asked(cora, kind)
    assert office.asked(cora, kind) == number, "a second press begins nothing"
    assert exports.sweep(office.desk) == 1
    assert exports.sweep(office.desk) == 0
    row = office.row(number)
    assert row.facts is not None
    assert row.done == row.total == row.facts["rows"] > 0
    path = office.desk.settings.home / "exports" / str(number)
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    assert office.taken(cora, number)
    assert str(number) not in office.files, "what was given out is not kept"
    with pytest.raises(ExportGone):
        office.taken(cora, number)
    assert office.actions() == [f"{kind}:export:{verb}" for verb in ("start", "finish", "download")]


def test_whoever_lost_it_to_another_worker_neither_ends_nor_spoils_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker was silent for too long: the second takes over, finishes, and the first comes to its end."""
    cora = office.signed_in("cora")
    number = office.asked(cora)
    writer = exports.WRITERS[ExportKind.LEDGER]

    def slow(*args: object) -> exports.Made:
        monkeypatch.setattr(exports, "WRITERS", {ExportKind.LEDGER: writer})
        office.town.wait(seconds=LEASE.total_seconds() + 1)
        exports.make(office.desk, number)
        return writer(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exports, "WRITERS", {ExportKind.LEDGER: slow})
    exports.make(office.desk, number)
    row = office.row(number)
    assert (row.tries, row.failure, row.finished_at is not None) == (2, None, True)
    assert office.taken(cora, number)


def test_nobody_else_takes_it_and_no_other_session_of_the_same_person(office: Office) -> None:
    cora, again, fay = (office.signed_in(each) for each in ("cora", "cora", "fay"))
    number = office.asked(cora)
    exports.sweep(office.desk)
    for stranger in (again, fay, replace(cora, session_id=None)):
        with pytest.raises(ExportGone):
            office.taken(stranger, number)
    with pytest.raises(NotPermitted):
        office.taken(replace(cora, roles=frozenset()), number)
    assert office.taken(cora, number), "and those in vain used nothing up"


def test_only_those_who_may_ask(office: Office) -> None:
    with pytest.raises(NotPermitted):
        office.asked(office.signed_in("mia"))
    with pytest.raises(NotPermitted):
        office.asked(office.signed_in("fay"), ExportKind.AUDIT)
    assert office.actions() == []


def test_its_time_ends_and_then_it_is_removed(office: Office) -> None:
    cora = office.signed_in("cora")
    number = office.asked(cora, ExportKind.AUDIT)
    exports.sweep(office.desk)
    assert office.files == {str(number), f"{number}.manifest.json"}
    office.town.now += KEPT
    with pytest.raises(ExportGone):
        office.taken(cora, number)
    with pytest.raises(ExportGone):
        exports.manifest(office.desk, cora, now=office.town.now, export_id=number)
    exports.sweep(office.desk)
    assert office.files == set()
    assert office.row(number).removed_at == office.town.now


def test_it_ends_with_its_session_before_and_after_it_is_made(office: Office) -> None:
    cora, fay = office.signed_in("cora"), office.signed_in("fay")
    made = office.asked(cora)
    exports.sweep(office.desk)
    waits = office.asked(fay)
    with office.town.database.transaction() as session:
        for each in session.scalars(select(StaffSession)):
            each.revoked_at = office.town.now
    exports.sweep(office.desk)
    assert office.files == set()
    assert "has ended" in str(office.row(waits).failure)
    with pytest.raises(ExportGone):
        office.taken(cora, made)


def test_what_a_dead_worker_left_is_made_again_and_given_up_in_the_end(office: Office) -> None:
    cora = office.signed_in("cora")
    number = office.asked(cora)
    for n in range(TRIES):
        claimed = office.town.database.run(
            lambda session: exports._claim(session, number, now=office.town.now)
        )
        assert claimed is not None
        (exports._folder(office.desk) / f"{number}.{n + 1}.part").write_bytes(b"half of it")
        assert exports.sweep(office.desk) == 0, "as long as it may live, it is left alone"
        office.town.now += LEASE
    exports.sweep(office.desk)
    assert "begun 5 times" in str(office.row(number).failure)


def test_a_lease_is_renewed_as_long_as_its_worker_lives_also_where_there_is_nothing_to_tell(
    office: Office,
) -> None:
    number = office.asked(office.signed_in("cora"))
    claimed = office.town.database.run(lambda session: exports._claim(session, number, now=office.town.now))
    assert claimed is not None
    with exports._lease_kept(office.desk, claimed, every=0.01):
        office.town.now += 3 * LEASE
        until(lambda: office.row(number).next_try_at > office.town.now)
        assert exports.sweep(office.desk) == 0, "it is still being made"
    office.town.now += LEASE
    assert exports.sweep(office.desk) == 1, "its worker is gone"


def test_a_file_is_there_no_longer_than_the_sign_in_that_asked_for_it(office: Office) -> None:
    fay = office.signed_in("fay")
    ends = office.town.now + KEPT / 3
    with as_owner(office.town.database) as session:
        for each in session.scalars(select(StaffSession)):
            each.expires_at = ends
    number = office.asked(fay)
    exports.sweep(office.desk)
    assert office.row(number).expires_at == ends


def test_the_database_gives_nothing_out_twice(office: Office) -> None:
    cora = office.signed_in("cora")
    number = office.asked(cora)
    exports.sweep(office.desk)
    office.taken(cora, number)
    for change in ("fetched_at = null", "fetched_at = now()", "finished_at = now()"):
        with pytest.raises(DBAPIError, match="given out once"), office.town.database.transaction() as session:
            session.execute(text(f"update exports set {change}"))
    with pytest.raises(DBAPIError, match="permission denied"), office.town.database.transaction() as session:
        session.execute(text("update exports set session_id = session_id"))


@contextmanager
def a_worker(urls: Urls, home: Path, *, ahead: float = 0) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [urls.app_url, str(home), "smtp://127.0.0.1:9", str(int(ahead))]
    process = subprocess.Popen([sys.executable, "-m", "tests.faults.worker_process", *arguments], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(happened: object) -> None:
    end = monotonic() + patience.SECONDS
    while not happened():  # type: ignore[operator]
        assert monotonic() < end, "it did not happen in time"
        sleep(0.1)


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_costs_nothing_but_time(
    office: Office, owner: Database, urls: Urls
) -> None:
    office.town.now = system_clock()
    cora, home = office.signed_in("cora"), office.desk.settings.home
    number = office.asked(cora)
    with owner.transaction() as session:
        session.execute(text("lock table journals in access exclusive mode"))  # holds the file half made
        with a_worker(urls, home) as worker:
            until(lambda: office.row(number).tries == 1 and f"{number}.1.part" in office.files)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    assert office.row(number).facts is None
    with a_worker(urls, home, ahead=LEASE.total_seconds() + 60):
        until(lambda: office.row(number).facts is not None)
    assert office.files == {str(number)}
    assert b"charge_settled" in office.taken(cora, number)
    assert office.actions() == [f"ledger:export:{verb}" for verb in ("start", "finish", "download")]


MANY = text(
    "insert into audit_entries (at, actor_kind, role, action, object_kind, object_id, reason, recorded_at)"
    " select now(), 'system', '', 'system:project:complete', 'project', n::text,"
    " E'a \"word\",\\nand another line', now() from generate_series(1, :rows) n"
)
ROWS = 250_000


@pytest.mark.slow
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_worker_that_is_killed_half_way_is_gone_on_from_where_the_format_allows_it(
    office: Office, owner: Database, urls: Urls, tmp_path: Path, format: str
) -> None:
    """Killed with SIGKILL while rows are on their way; what is written afterwards is not in the file."""
    office.town.now = system_clock()
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(MANY, {"rows": ROWS})
    cora, home = office.signed_in("cora"), office.desk.settings.home
    number = office.town.act(
        requests.request, cora, kind=ExportKind.AUDIT, format=format, ending=format, filter={}
    )
    expected = office.town.read(lambda session: session.scalar(text("select count(*) from audit_entries")))
    part = home / "exports" / f"{number}.1.part"

    def half_way() -> bool:
        earlier = EarlierTry.of(part)
        return earlier is not None or (format == "parquet" and office.row(number).done > 0)

    with a_worker(urls, home) as worker:
        until(half_way)
        with owner.transaction() as session:  # it cannot say that it has ended
            session.execute(text("select from exports for update"))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    assert office.row(number).facts is None
    assert str(number) not in office.files, "no half file"
    with pytest.raises(ExportGone):
        office.taken(cora, number)
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(MANY, {"rows": 7})
    with a_worker(urls, home, ahead=LEASE.total_seconds() + 60):
        until(lambda: office.row(number).facts is not None or office.row(number).failure)
    row = office.row(number)
    assert row.failure is None
    finished = text("select after from audit_entries where action = 'audit:export:finish'")
    (said,) = office.town.read(lambda session: session.scalars(finished).all())
    assert (said["tries"], said["went_on"]) == (2, format != "parquet")
    file, manifest = tmp_path / f"log.{format}", tmp_path / f"log.{format}.manifest.json"
    manifest.write_bytes(exports.manifest(office.desk, cora, now=office.town.now, export_id=number))
    file.write_bytes(office.taken(cora, number))
    proof = export_proof.verify(file)
    assert proof.wrong == ()
    if format != "parquet":
        assert proof.rows == expected, "as of the moment at which the first try read"
    assert not [each for each in office.files if "part" in each]


@pytest.mark.slow
def test_the_ledger_goes_on_after_its_last_whole_journal(office: Office, tmp_path: Path) -> None:
    for _ in range(3):
        builders.funded(office.town)
    whole, part = tmp_path / "whole.csv", tmp_path / "1.1.part"

    def written(path: Path, earlier: EarlierTry | None = None) -> bytes:
        with path.open("w+b") as file, office.desk.auditor.reading() as session:
            trail = Trail(path, file, earlier)
            ledger_export.write(
                session, LedgerFilter(), LedgerFormat.CSV, file, lambda done, total: trail.keep(), trail
            )
        return path.read_bytes()

    content = written(whole)
    snapshot = json.loads(begun(whole).read_bytes())["snapshot"]
    builders.funded(office.town)  # after that moment
    assert written(tmp_path / "later.csv") != content
    for size in range(0, len(content), 97):
        part.write_bytes(content[:size])
        begun(part).write_text(json.dumps({"snapshot": snapshot, "bytes": size}))
        if earlier := EarlierTry.of(part):
            assert written(tmp_path / "again.csv", earlier) == content, size
    begun(part).write_text("{}")
    assert EarlierTry.of(part) is None
    begun(part).write_text(json.dumps({"snapshot": snapshot, "bytes": len(content) + 1}))
    assert EarlierTry.of(part) is None, "less is there than was safe"


def test_a_moment_is_enough_to_wait(office: Office) -> None:
    assert timedelta() < LEASE < KEPT
