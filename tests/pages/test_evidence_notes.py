"""Notes on evidence: written by those who work the case, read by staff, kept as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.cases import evidence, evidence_notes
from core.actions.cases.messages import MessageEmpty
from core.db import Database
from core.errors import NotFound
from core.gateways.evidence_store import EvidenceStore
from core.queries import evidence_notes as noted
from core.rules.permissions import TABLE, NotPermitted, Permission
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def a_piece(town: Town, told: Told, home: Path, name: str = "delivery.txt") -> int:
    piece = town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(home),
        milestone_id=told.milestone,
        file_name=name,
        content=f"About {name}.".encode(),
    )
    return piece.id


@pytest.mark.parametrize("subject", PEOPLE)
def test_staff_read_notes_and_those_who_work_the_case_write_them(
    town: Town, tmp_path: Path, subject: str
) -> None:
    told = builders.in_mediation(town)
    number = a_piece(town, told, tmp_path)
    town.act(evidence_notes.note, town.as_staff("max"), evidence_id=number, body="The <b>date</b> is wrong.")
    app = visit(town, subject, "case", id=told.case)
    assert "The &lt;b&gt;date&lt;/b&gt; is wrong." in words(app)
    assert ("Add note" in labels(app)) == (PEOPLE[subject][1] in TABLE[Permission.WORK_CASE])


def test_a_note_is_written_about_the_piece_that_is_open(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    first, second = a_piece(town, told, tmp_path), a_piece(town, told, tmp_path, "invoice.txt")
    app = visit(town, "mia", "case", id=told.case)
    app.button(key=f"evidence-{told.case}-open-{second}").click().run()
    app.text_area(key=f"case.{told.case}.note").set_value("The total is missing.").run()
    app.button(key="note-add").click().run()
    assert not app.exception
    found = town.read(lambda s: noted.of_milestone(s, told.milestone))
    assert [each.body for each in found[second]] == ["The total is missing."]
    assert first not in found
    assert not app.text_area(key=f"case.{told.case}.note").value


def test_the_timeline_says_that_there_is_a_note(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    town.act(
        evidence_notes.note, town.as_staff("mia"), evidence_id=a_piece(town, told, tmp_path), body="Seen."
    )
    assert "Note on evidence" in words(visit(town, "mia", "case", id=told.case, tab="Timeline"))


def test_an_empty_note_an_unknown_piece_and_the_wrong_role_are_refused(town: Town, tmp_path: Path) -> None:
    number = a_piece(town, builders.in_mediation(town), tmp_path)
    with pytest.raises(MessageEmpty):
        town.act(evidence_notes.note, town.as_staff("mia"), evidence_id=number, body="  ")
    with pytest.raises(NotFound):
        town.act(evidence_notes.note, town.as_staff("mia"), evidence_id=4711, body="Where?")
    for nobody in (town.as_staff("fay"), town.payer):
        with pytest.raises(NotPermitted):
            town.act(evidence_notes.note, nobody, evidence_id=number, body="Mine.")


@pytest.mark.parametrize("write", ["update evidence_notes set body = 'x'", "delete from evidence_notes"])
def test_a_note_stays_as_it_was_even_in_sql(town: Town, tmp_path: Path, write: str) -> None:
    number = a_piece(town, builders.in_mediation(town), tmp_path)
    town.act(evidence_notes.note, town.as_staff("mia"), evidence_id=number, body="Seen.")
    with pytest.raises(DBAPIError):
        town.database.run(lambda s: s.execute(text(write)))
