"""A decided case as its mediator could see it: nothing of it is later than the decision."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation, evidence, mediator_assignment
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.fixture
def told(town: Town, tmp_path: Path) -> Told:
    """Decided; something came before, and something afterwards."""
    told = builders.in_mediation(town)
    say(town, told, tmp_path, "early")
    town.wait(minutes=5)
    builders.decided(town, told)
    town.wait(minutes=5)
    builders.carry_out(town)
    say(town, told, tmp_path, "late")
    return told


def say(town: Town, told: Told, home: Path, word: str) -> None:
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body=f"An {word} word.")
    town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(home),
        milestone_id=told.milestone,
        file_name=f"{word}.txt",
        content=word.encode(),
    )


def as_of(app: AppTest, told: Told) -> AppTest:
    app.toggle(key="as-of").set_value(True).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("subject", PEOPLE)
@pytest.mark.parametrize("tab", ["Evidence", "Timeline", "Messages"])
def test_every_role_sees_what_there_was_and_nothing_later(
    town: Town, told: Told, subject: str, tab: str
) -> None:
    app = visit(town, subject, "case", id=told.case, tab=tab)
    everything = words(app)
    assert "early" in everything
    assert "late.txt" in everything or "An late word." in everything
    then = words(as_of(app, told))
    assert "early" in then
    assert "late.txt" not in then
    assert "An late word." not in then


def test_a_case_that_is_not_decided_has_only_its_present(town: Town) -> None:
    told = builders.in_mediation(town)
    assert not [each for each in visit(town, "mia", "case", id=told.case).toggle if "as-of" in str(each.key)]


@pytest.mark.parametrize("subject", PEOPLE)
def test_the_address_shows_the_money_the_parties_and_the_head_as_they_were(
    town: Town, told: Told, subject: str
) -> None:
    now = words(visit(town, subject, "case", id=told.case, tab="Money"))
    app = visit(town, subject, "case", id=told.case, tab="Money", **{"as-of": "true"})
    then = words(app)
    assert "You see the case as Mia Lund could see it" in then
    assert "every cent of it, then" in then
    assert "In mediation" in then
    assert f"decision.{told.case}.1.transfer" not in then
    assert 0 < then.count("<caption>J-") < now.count("<caption>J-")
    parties = words(visit(town, subject, "case", id=told.case, tab="Parties", **{"as-of": "true"}))
    assert "1, 1 open" in parties


def test_the_mediator_is_whoever_had_the_case_then(town: Town) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    builders.decided(town, told)
    town.wait(minutes=5)
    max_ = town.staff["max"]
    town.act(mediator_assignment.assign, town.as_staff("max"), case_id=told.case, staff_id=max_)
    cell = "<dt>Mediator</dt><dd>{}<"
    assert cell.format("Max Adler") in words(visit(town, "ada", "case", id=told.case))
    then = words(visit(town, "ada", "case", id=told.case, **{"as-of": "true"}))
    assert cell.format("Mia Lund") in then


def test_looking_back_is_over_with_one_press(town: Town, told: Told) -> None:
    app = visit(town, "mia", "case", id=told.case, **{"as-of": "true"})
    assert "late.txt" not in words(app)
    app.toggle(key="as-of").set_value(False).run()
    assert "late.txt" in words(app)
    assert "You see the case as" not in words(app)
