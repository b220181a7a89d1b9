"""Reading in the log: a row for each colleague, object and hour, an entry for each colleague and hour that is over."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.actions.cases import evidence
from core.actions.privacy import readings, subject_access
from core.actions.staff import sessions
from core.case_file import packing
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.processes import readings as process
from core.queries import readings as read_by
from core.records import Reading
from core.rules.permissions import NotPermitted
from core.rules.readings import HOUR, ReadingKind, hour_of, is_due
from tests import builders
from tests.builders import NOW, Town
from tests.desk_fixtures import a_desk

ENTRIES = text(
    "select object_id, action, actor_kind, after, at from audit_entries where action like '%:reading:%' order by id"
)
FORGED = text(
    "insert into readings (staff_id, hour, kind, object_id, roles, session_id, first_at, last_at)"
    " values (:who, date_trunc('hour', cast(:at as timestamptz)), 'CASE', :case, 'administrator', :session, :at, :at)"
)


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def read(town: Town, by: str, kind: ReadingKind, number: int) -> None:
    town.act(readings.note, town.as_staff(by), kind=kind, number=number)


def rows(town: Town) -> list[Reading]:
    return town.read(lambda s: list(s.query(Reading).order_by(Reading.first_at, Reading.staff_id)))


def entries(town: Town) -> list[dict[str, object]]:
    return town.read(lambda s: [dict(row) for row in s.execute(ENTRIES).mappings()])


def sweep(town: Town, home: Path) -> int:
    return process.sweep(a_desk(town.database, home, clock=lambda: town.now))


def test_a_page_that_is_drawn_again_is_no_other_reading() -> None:
    assert is_due(None, NOW)
    assert not is_due(NOW, NOW)
    assert not is_due(NOW, NOW + timedelta(minutes=5, microseconds=-1))
    assert is_due(NOW, NOW + timedelta(minutes=5))
    assert is_due(NOW, NOW - timedelta(seconds=1))


def test_one_row_for_each_colleague_object_and_hour(town: Town) -> None:
    read(town, "mia", ReadingKind.CASE, 7)
    first = town.now
    town.wait(minutes=10)
    read(town, "mia", ReadingKind.CASE, 7)
    read(town, "cora", ReadingKind.CASE, 7)
    read(town, "mia", ReadingKind.MESSAGES, 7)
    one, *others = rows(town)
    assert (one.staff_id, one.roles, one.hour) == (town.staff["mia"], "mediator", hour_of(first))
    assert (one.first_at, one.last_at) == (first, town.now)
    assert len(others) == 2
    town.wait(hours=1)
    read(town, "mia", ReadingKind.CASE, 7)
    assert len(rows(town)) == 4


def test_it_is_one_statement(town: Town, database: Database) -> None:
    said: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda connection, cursor, statement, *more: said.append(statement),
    )
    read(town, "mia", ReadingKind.CASE, 7)
    assert len(said) == 1


def test_whoever_may_not_open_it_leaves_no_reading(town: Town) -> None:
    for by in ("mia", "max"):
        with pytest.raises(NotPermitted):
            read(town, by, ReadingKind.PARTY, town.payer_id)
    with pytest.raises(NotPermitted):
        town.act(readings.note, town.payer, kind=ReadingKind.CASE, number=7)
    assert rows(town) == []


def test_an_hour_that_is_over_is_one_entry_of_each_colleague(town: Town, tmp_path: Path) -> None:
    for kind, number in ((ReadingKind.CASE, 9), (ReadingKind.CASE, 7), (ReadingKind.EMAIL, 3)):
        read(town, "mia", kind, number)
    read(town, "cora", ReadingKind.PARTY, town.payer_id)
    since = hour_of(town.now)
    town.now = since + HOUR - timedelta(microseconds=1)
    assert sweep(town, tmp_path) == 0
    assert entries(town) == []
    town.now = since + HOUR
    assert sweep(town, tmp_path) == 2
    of_mia, of_cora = entries(town)
    assert (of_mia["action"], of_mia["actor_kind"]) == ("desk:reading:enter", "system")
    assert of_mia["object_id"] == str(town.staff["mia"])
    assert of_mia["after"] == {
        "since": since.isoformat(),
        "until": (since + HOUR).isoformat(),
        "roles": ["mediator"],
        "sessions": [],
        "read": {"case": [7, 9], "email": [3]},
    }
    assert of_cora["after"]["read"] == {"party": [town.payer_id]}  # type: ignore[index]
    assert sweep(town, tmp_path) == 0
    assert len(entries(town)) == 2


def test_two_workers_write_one_entry(town: Town) -> None:
    read(town, "mia", ReadingKind.CASE, 7)
    hour = hour_of(town.now)
    given = {"now": town.now + HOUR, "staff_id": town.staff["mia"], "hour": hour}
    assert town.database.run(lambda session: readings.enter(session, **given))  # type: ignore[arg-type]
    assert not town.database.run(lambda session: readings.enter(session, **given))  # type: ignore[arg-type]
    assert len(entries(town)) == 1


def test_what_was_written_late_gets_an_entry_of_its_own(town: Town, tmp_path: Path) -> None:
    read(town, "mia", ReadingKind.CASE, 7)
    late = town.now
    town.wait(hours=1)
    sweep(town, tmp_path)
    town.database.run(
        lambda s: readings.note(s, town.as_staff("mia"), now=late, kind=ReadingKind.CASE, number=8)
    )
    sweep(town, tmp_path)
    assert [each["after"]["read"] for each in entries(town)] == [{"case": [7]}, {"case": [8]}]  # type: ignore[index]


@pytest.mark.parametrize(
    "statement",
    [
        "update readings set entered_at = now()",
        "insert into readings (staff_id, hour, kind, object_id, roles, first_at, last_at, entered_at)"
        " select staff_id, hour, 'CASE', 99, roles, first_at, last_at, now() from readings",
        "delete from readings",
        "update readings set staff_id = staff_id + 1",
        "update readings set object_id = 1",
    ],
)
def test_with_the_applications_login_no_reading_is_taken_out_of_the_log(town: Town, statement: str) -> None:
    read(town, "mia", ReadingKind.CASE, 7)
    with pytest.raises(DBAPIError):
        town.database.run(lambda session: session.execute(text(statement)))
    (row,) = rows(town)
    assert row.entered_at is None


def test_what_was_entered_stays_so(town: Town, tmp_path: Path) -> None:
    read(town, "mia", ReadingKind.CASE, 7)
    town.wait(hours=1)
    sweep(town, tmp_path)
    with pytest.raises(DBAPIError, match="written already"):
        town.database.run(lambda session: session.execute(text("update readings set entered_at = null")))


def test_who_read_what_is_held_about_a_person(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    store = EvidenceStore(tmp_path)
    piece = town.act(
        evidence.submit,
        town.payer,
        store=store,
        milestone_id=told.milestone,
        file_name="a.txt",
        content=b"Scratched.",
    )
    read(town, "mia", ReadingKind.CASE, told.case)
    read(town, "fay", ReadingKind.PROJECT, told.project)
    read(town, "cora", ReadingKind.PARTY, town.payer_id)
    read(town, "cora", ReadingKind.PARTY, town.payee_id)
    read(town, "max", ReadingKind.CASE, told.case + 1)
    town.act(evidence.open_evidence, town.as_staff("mia"), store=store, evidence_id=piece.id)

    def of(party_id: int) -> set[tuple[str, str]]:
        found = town.read(lambda session: read_by.of_party(session, party_id))
        return {(each.name, each.kind.value) for each in found}

    both = {("Mia Lund", "CASE"), ("Fay Moreno", "PROJECT"), ("Cora Nwosu", "PARTY")}
    assert of(town.payer_id) == both | {("Mia Lund", "EVIDENCE")}
    assert of(town.payee_id) == both
    assert len(town.read(lambda session: read_by.of_party(session, town.payer_id, limit=2))) == 2


def test_taking_a_case_file_or_all_about_a_person_is_reading(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    store, mia, cora = EvidenceStore(tmp_path), town.as_staff("mia"), town.as_staff("cora")
    signer = a_desk(town.database, tmp_path, clock=lambda: town.now)
    from core import audit

    key = audit.desk_signer(town.database, signer.settings.home, now=town.now)
    town.act(packing.export, mia, store=store, signer=key, case_id=told.case)
    made = town.act(subject_access.take, cora, store=store, party_id=town.payer_id)
    assert [(row.kind, row.object_id) for row in rows(town)] == [
        (ReadingKind.CASE, told.case),
        (ReadingKind.PARTY, town.payer_id),
    ]
    with zipfile.ZipFile(io.BytesIO(made.content)) as packed:
        said = json.loads(packed.read("what_we_read.json"))
        whole = b"".join(packed.read(name) for name in packed.namelist()).decode()
    assert [(each["what"], each["by_staff_with_role"]) for each in said] == [
        ("CASE", "mediator"),
        ("PARTY", "compliance"),
    ]
    assert "Mia Lund" not in whole
    assert "Cora Nwosu" not in whole


def test_nobody_writes_a_reading_of_a_colleague_with_another_session_or_another_role(town: Town) -> None:
    told = builders.in_mediation(town)
    mia = town.as_staff("mia")

    def forged(session: Session) -> None:
        session.execute(
            FORGED, {"who": town.staff["max"], "session": theirs, "case": told.case, "at": town.now}
        )

    token = town.database.run(lambda s: sessions.sign_in(s, staff_id=mia.id, now=town.now))
    theirs = town.read(lambda s: s.scalar(text("select max(id) from staff_sessions")))
    with pytest.raises(DBAPIError, match="is not one of colleague"):
        town.database.run(forged)
    theirs = None
    town.database.run(forged)
    assert [row.roles for row in rows(town)] == ["mediator"], "as they hold, whatever was said"
    assert token
