"""The case file on the page of a case: who may take it, what is in it, and that the log knows."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import case_file
from core.actions.cases import evidence
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.records.audit import audit_entries
from core.rules.permissions import TABLE, Permission
from dashboard.background_job import Work
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages import visiting
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def made(app: AppTest, case: int) -> Work[case_file.CaseFile]:
    app.button(key="case-file").click().run()
    app.button(key="case-file-make").click().run()
    work: Work[case_file.CaseFile] = visiting.work(app, f"case-file:{case}")
    assert work.wait(30)
    app.run()
    assert not app.exception
    return work


@pytest.mark.parametrize("subject", PEOPLE)
def test_the_case_file_is_for_those_who_may_take_personal_data_out(town: Town, subject: str) -> None:
    told = builders.in_mediation(town)
    offered = "Case file" in labels(visit(town, subject, "case", id=told.case))
    assert offered == (PEOPLE[subject][1] in TABLE[Permission.EXPORT_CASE])


def test_it_is_made_offered_and_can_be_verified_without_the_desk(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    app = visit(town, "cora", "case", id=told.case)
    done = made(app, told.case).result
    assert done is not None
    assert done.sha256 in " ".join(each.value for each in app.code)
    path = tmp_path / done.name
    path.write_bytes(done.content)
    assert hashlib.sha256(done.content).hexdigest() == done.sha256
    case_file.verify(path)


def test_the_log_says_who_took_it_and_its_hash(town: Town) -> None:
    told = builders.in_mediation(town)
    done = made(visit(town, "mia", "case", id=told.case), told.case).result
    entry = town.read(
        lambda s: s.execute(
            select(audit_entries.c.actor_id, audit_entries.c.after).where(
                audit_entries.c.action == "staff:case:export"
            )
        ).one()
    )
    assert done is not None
    assert (entry.actor_id, entry.after["sha256"]) == (town.staff["mia"], done.sha256)
    assert "Case file taken" in words(visit(town, "mia", "case", id=told.case, tab="Timeline"))


def test_evidence_that_was_altered_on_the_disk_is_refused_by_name(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(tmp_path),
        milestone_id=told.milestone,
        file_name="delivery.txt",
        content=b"The worktop came on Thursday.",
    )
    stored = next(
        path for path in (tmp_path / "evidence").rglob("*") if path.is_file() and len(path.name) == 64
    )
    stored.write_bytes(stored.read_bytes()[:-1] + b"!")
    app = visit(town, "mia", "case", id=told.case)
    work = made(app, told.case)
    assert work.result is None
    assert "was altered or damaged" in words(app)
