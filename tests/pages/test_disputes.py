"""The queue on screen, for each role."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.db import Database
from core.records import Ticket
from tests import stories
from tests.pages.visiting import labels, serve, visit, words
from tests.stories import PEOPLE, Town


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = stories.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", PEOPLE)
def test_everybody_sees_the_queue_and_mediators_may_claim(town: Town, subject: str) -> None:
    told = stories.in_mediation(town, mediator=None)
    app = visit(town, subject, "disputes")
    (table,) = app.dataframe
    row = table.value.iloc[0]
    assert (row["id"], row["parties"]) == (f"D-{told.ticket}", "Ana Lindqvist · Ben Okafor")
    assert row["due_at"] == ["in 6 days"]
    assert ("Claim next case" in labels(app)) == (subject in ("mia", "max"))


def test_an_empty_queue_says_what_will_fill_it(town: Town) -> None:
    app = visit(town, "mia", "disputes")
    assert not app.dataframe
    assert "Disputes that payers open appear here." in words(app)


def test_a_view_and_words_stand_in_the_address(town: Town) -> None:
    stories.in_mediation(town)
    assert len(visit(town, "mia", "disputes", view="mine").dataframe) == 1
    assert "Every case has a mediator" in words(visit(town, "mia", "disputes", view="unassigned"))


def test_words_narrow_the_queue(town: Town) -> None:
    stories.in_mediation(town)
    app = visit(town, "mia", "disputes")
    assert len(app.text_input(key="q").set_value("Okafor").run().dataframe) == 1
    assert "Nothing matches" in words(app.text_input(key="q").set_value("Nobody").run())


def test_claiming_takes_the_case_that_is_due_first(town: Town) -> None:
    told = stories.in_mediation(town, mediator=None)
    app = visit(town, "max", "disputes")
    next(button for button in app.button if button.label == "Claim next case").click().run()
    assert town.read(lambda s: s.get_one(Ticket, told.ticket)).mediator_id == town.staff["max"]


def test_claiming_with_nothing_left_says_so(town: Town) -> None:
    app = visit(town, "max", "disputes")
    next(button for button in app.button if button.label == "Claim next case").click().run()
    assert "No case is waiting for a mediator that you could take." in words(app)
