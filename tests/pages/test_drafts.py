"""An unfinished decision outlives a reload, a sign-out and a crash, and nobody else sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.actions.decisions import drafts
from core.db import Database
from core.records import DecisionDraft
from core.rules.grounds import DecisionOutcome, Ground, Reference
from tests import builders
from tests.builders import Told, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def kept(town: Town, told: Told, who: str = "mia") -> DecisionDraft | None:
    return town.read(lambda s: drafts.find(s, town.as_staff(who), case_id=told.case))


def begun(town: Town, told: Told) -> AppTest:
    """Half a decision, and half a message."""
    app = visit(town, "mia", "case", id=told.case, tab="Messages")
    field = f"draft-{told.case}-"
    app.button_group(key=f"{field}outcome").set_value(DecisionOutcome.PARTIAL_RELEASE).run()
    app.text_input(key=f"{field}share").set_value("62.5").run()
    app.selectbox(key=f"{field}ground").set_value(Ground.PARTIAL_WORK).run()
    app.text_area(key=f"{field}reasons").set_value(builders.REASONS).run()
    app.checkbox(key=f"{field}cites-{Reference.MESSAGE_HISTORY.value}").check().run()
    app.text_area(key=f"case.{told.case}.message").set_value("When exactly on").run()
    assert not app.exception
    return app


def test_looking_at_a_case_writes_nothing(town: Town) -> None:
    told = builders.in_mediation(town)
    visit(town, "mia", "case", id=told.case)
    assert town.read(lambda s: s.get(DecisionDraft, (told.case, town.staff["mia"]))) is None


def test_everything_is_back_in_another_browser_and_says_from_when(town: Town) -> None:
    told = builders.in_mediation(town)
    begun(town, told)
    town.wait(hours=3)
    app = visit(town, "mia", "case", id=told.case, tab="Messages")
    field = f"draft-{told.case}-"
    assert "Your draft of 4 Mar 2026, 14:30 UTC was restored." in words(app)
    assert app.button_group(key=f"{field}outcome").value == DecisionOutcome.PARTIAL_RELEASE
    assert app.text_input(key=f"{field}share").value == "62.5"
    assert app.selectbox(key=f"{field}ground").value is Ground.PARTIAL_WORK
    assert app.text_area(key=f"{field}reasons").value == builders.REASONS
    assert app.checkbox(key=f"{field}cites-{Reference.MESSAGE_HISTORY.value}").value
    assert app.text_area(key=f"case.{told.case}.message").value == "When exactly on"


def test_a_draft_is_its_writers_alone(town: Town) -> None:
    told = builders.in_mediation(town)
    begun(town, told)
    app = visit(town, "max", "case", id=told.case)
    assert "was restored." not in words(app)
    assert not app.text_area(key=f"draft-{told.case}-reasons").value
    assert kept(town, told, "max") is None


def test_a_draft_can_be_thrown_away(town: Town) -> None:
    told = builders.in_mediation(town)
    begun(town, told)
    app = visit(town, "mia", "case", id=told.case)
    app.button(key="draft-discard").click().run()
    assert not app.exception
    assert not app.text_area(key=f"draft-{told.case}-reasons").value
    assert "Discard" not in labels(app)
    assert kept(town, told) is None


def test_the_decision_takes_its_draft_with_it(town: Town) -> None:
    told = builders.in_mediation(town)
    app = begun(town, told)
    for reference in Reference:
        if reference is not Reference.RESOLUTION_NOTES:
            app.checkbox(key=f"draft-{told.case}-cites-{reference.value}").check()
    app.run()
    for label in ("Preview plan", "Confirm decision"):
        next(each for each in app.button if each.label == label).click().run()
    assert not app.exception
    assert kept(town, told) is None


def test_a_draft_that_nobody_could_have_typed_is_refused(town: Town) -> None:
    told = builders.in_mediation(town)
    with pytest.raises(drafts.DraftTooLong):
        town.act(
            drafts.save,
            town.as_staff("mia"),
            case_id=told.case,
            content={"reasons": "x" * drafts.LONGEST},
        )


def test_what_a_later_release_no_longer_knows_is_left_out(town: Town) -> None:
    told = builders.in_mediation(town)
    content = {"outcome": "COIN_TOSS", "ground": "WHIM", "reasons": "Kept."}
    town.act(drafts.save, town.as_staff("mia"), case_id=told.case, content=content)
    app = visit(town, "mia", "case", id=told.case)
    assert app.button_group(key=f"draft-{told.case}-outcome").value in (None, [])
    assert app.text_area(key=f"draft-{told.case}-reasons").value == "Kept."
