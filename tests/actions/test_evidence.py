"""Evidence from the hand of a party to the eyes of staff, on real PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select, text

from core.actions.cases import evidence
from core.db import Database
from core.errors import NotFound
from core.gateways.evidence_store import EvidenceAltered, EvidenceStore
from core.records import Case, Evidence, EvidenceView, Milestone, Staff
from core.rules.evidence import MAX_FILES, FormatNotAccepted, TooManyFiles
from core.rules.permissions import SYSTEM, Actor, NotPermitted, NotYours, Role
from tests import unrecorded
from tests.gateways.evidence_builders import pdf, picture, with_exif
from tests.parties import a_kitchen

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Scene:
    database: Database
    store: EvidenceStore
    milestone_id: int
    payer: Actor
    payee: Actor
    stranger: Actor
    mediator: Actor

    def hand_in(self, actor: Actor | None = None, **given: Any) -> Evidence:
        facts = {"milestone_id": self.milestone_id, "file_name": "photo.jpg", "content": picture()} | given
        return self.database.run(
            lambda session: evidence.submit(session, actor or self.payer, now=NOW, store=self.store, **facts)
        )

    def open(self, evidence_id: int, *, actor: Actor | None = None, at: datetime = NOW) -> evidence.Opened:
        return self.database.run(
            lambda session: evidence.open_evidence(
                session, actor or self.mediator, now=at, store=self.store, evidence_id=evidence_id
            )
        )

    def entries(self, action: str) -> list[Any]:
        with self.database.reading() as session:
            found = text("select * from audit_entries where action = :action order by id")
            return list(session.execute(found, {"action": action}).mappings())

    def count(self, record: type[Any]) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(record)) or 0


@pytest.fixture
def case(database: Database, owner: Database, tmp_path: Path) -> Scene:
    kitchen, other = a_kitchen(owner), a_kitchen(owner)
    staff = Staff(issuer="i", subject="s", name="Mara", email="m@example.org", skills=[], created_at=NOW)
    with owner.transaction() as session:
        session.add(staff)
    return Scene(
        database=database,
        store=EvidenceStore(tmp_path),
        milestone_id=kitchen.milestone,
        payer=Actor("party", kitchen.payer),
        payee=Actor("party", kitchen.payee),
        stranger=Actor("party", other.payer),
        mediator=Actor("staff", staff.id, frozenset({Role.MEDIATOR})),
    )


def test_what_a_party_hands_in_is_kept_with_its_facts(case: Scene) -> None:
    content = with_exif()
    row = case.hand_in(
        file_name="../My\u202e photo.jpg", content=content, caption="The wall,\nafter  the rain"
    )
    assert (row.kind, row.media_type, row.size_bytes) == ("IMAGE", "image/jpeg", len(content))
    assert (row.file_name, row.caption) == ("My photo.jpg", "The wall, after the rain")
    assert row.taken_at == datetime(2026, 3, 2, 8, 11, 12, tzinfo=UTC)
    assert row.uploaded_by == case.payer.id
    assert case.store.get(row.uploaded_by, row.sha256) == content


def test_the_log_knows_the_file_by_its_hash_and_names_nobody(case: Scene) -> None:
    row = case.hand_in(file_name="Anna Payer, 4 Elm Street.jpg", caption="call anna@example.org")
    (entry,) = case.entries("party:evidence:hand_in")
    assert (entry["actor_kind"], entry["actor_id"], entry["object_id"]) == (
        "party",
        case.payer.id,
        str(row.id),
    )
    assert entry["milestone_id"] == case.milestone_id
    assert entry["after"]["sha256"] == row.sha256
    assert "Elm" not in str(dict(entry))


def test_the_same_file_twice_on_one_milestone_is_one_piece(case: Scene) -> None:
    first = case.hand_in()
    assert case.hand_in(file_name="again.jpg").id == first.id
    assert case.hand_in(case.payee).id == first.id
    assert len(case.entries("party:evidence:hand_in")) == 1


def test_two_uploads_at_once_of_one_file_make_one_piece(case: Scene) -> None:
    start, ids = Barrier(4), []

    def upload() -> None:
        start.wait()
        ids.append(case.hand_in().id)

    threads = [Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_new_evidence_makes_a_plan_drawn_before_it_out_of_date(case: Scene) -> None:
    def version() -> int:
        with case.database.reading() as session:
            return session.get_one(Milestone, case.milestone_id).version

    before = version()
    case.hand_in()
    assert version() == before + 1
    case.hand_in()
    assert version() == before + 1


def test_only_payer_and_payee_of_the_project_hand_in(case: Scene) -> None:
    for actor in (case.stranger, case.mediator, SYSTEM):
        with pytest.raises(NotYours):
            case.hand_in(actor)
    assert case.count(Evidence) == 0
    assert case.hand_in(case.payee).uploaded_by == case.payee.id


def test_a_refused_file_leaves_no_row_no_entry_and_no_bytes(case: Scene) -> None:
    with pytest.raises(FormatNotAccepted):
        case.hand_in(file_name="run.exe", content=b"MZ")
    assert case.count(Evidence) == 0
    assert case.entries("party:evidence:hand_in") == []
    assert not case.store.folder.exists()


def test_a_milestone_takes_sixty_files_and_no_more(case: Scene) -> None:
    with case.database.transaction() as session:
        session.add_all(_row(case, f"{n:064x}") for n in range(MAX_FILES - 1))
    case.hand_in()
    with pytest.raises(TooManyFiles, match="60"):
        case.hand_in(content=picture(size=(10, 10)))


def test_a_case_of_another_milestone_is_not_a_place_for_it(case: Scene) -> None:
    with pytest.raises(NotFound):
        case.hand_in(case_id=999)
    with pytest.raises(NotFound):
        case.hand_in(milestone_id=999)
    with case.database.transaction() as session:
        other = Case(
            milestone_id=case.milestone_id,
            opened_by=case.payer.id,
            reason="DEFECTIVE",
            opened_at=NOW,
            due_at=NOW,
        )
        session.add(other)
        session.flush()
        unrecorded.forgive(session)
    assert case.hand_in(case_id=other.id).case_id == other.id


def test_opening_shows_a_drawn_picture_and_is_on_record(case: Scene) -> None:
    row = case.hand_in(content=with_exif())
    opened = case.open(row.id)
    assert opened.picture is not None
    assert b"Exif" not in opened.picture
    case.open(row.id, at=NOW + timedelta(hours=1))
    with case.database.reading() as session:
        (view,) = session.scalars(select(EvidenceView)).all()
    assert (view.evidence_id, view.staff_id, view.first_at) == (row.id, case.mediator.id, NOW)
    assert [entry["object_id"] for entry in case.entries("mediator:evidence:open")] == [str(row.id)] * 2


def test_a_document_opens_as_pages_and_a_note_as_text(case: Scene) -> None:
    report = case.hand_in(case.payee, file_name="report.pdf", content=pdf(3))
    note = case.hand_in(case.payee, file_name="note.txt", content=b"![x](https://example.org)")
    assert case.open(report.id).pages == 3
    assert case.open(note.id).text == "![x](https://example.org)"
    with case.database.reading() as session:
        shown = evidence.page(session, case.mediator, store=case.store, evidence_id=report.id, number=3)
        assert shown.startswith(b"\x89PNG")
        small = evidence.thumbnail(session, case.mediator, store=case.store, evidence_id=report.id)
        assert small is not None
        assert small.startswith(b"RIFF")
        assert evidence.thumbnail(session, case.mediator, store=case.store, evidence_id=note.id) is None
        for number in (0, 4):
            with pytest.raises(Exception, match=r"page|cannot be drawn"):
                evidence.page(session, case.mediator, store=case.store, evidence_id=report.id, number=number)


def test_the_original_leaves_unchanged_and_its_leaving_is_on_record(case: Scene) -> None:
    content = with_exif()
    row = case.hand_in(content=content)
    left = case.database.run(
        lambda session: evidence.download(
            session, case.mediator, now=NOW, store=case.store, evidence_id=row.id
        )
    )
    assert left == content
    assert len(case.entries("mediator:evidence:download")) == 1


def test_parties_and_strangers_do_not_open_what_staff_may(case: Scene) -> None:
    row = case.hand_in()
    for actor in (case.payer, case.stranger, SYSTEM, Actor("staff", 99)):
        with pytest.raises(NotPermitted):
            case.open(row.id, actor=actor)
    assert case.count(EvidenceView) == 0


def test_altered_bytes_are_never_shown_and_count_as_unopened(case: Scene) -> None:
    row = case.hand_in()
    case.open(row.id)
    path = case.store.folder / str(row.uploaded_by) / row.sha256[:2] / row.sha256
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(EvidenceAltered):
        case.open(row.id)
    assert len(case.entries("mediator:evidence:open")) == 1


def test_a_row_of_evidence_never_changes(case: Scene) -> None:
    case.hand_in()
    for statement in ("update evidence set sha256 = ''", "delete from evidence"):
        with (
            pytest.raises(Exception, match=r"permission denied|append"),
            case.database.transaction() as session,
        ):
            session.execute(text(statement))


def _row(case: Scene, sha256: str) -> Evidence:
    return Evidence(
        milestone_id=case.milestone_id,
        uploaded_by=case.payer.id,
        kind="TEXT",
        file_name="note.txt",
        media_type="text/plain",
        size_bytes=1,
        sha256=sha256,
        caption="",
        at=NOW,
    )
