"""The queue on screen, for each role."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation, recusal
from core.actions.risk import holds
from core.actions.staff import install
from core.db import Database
from core.records import Case
from core.rules.masking import masked_name
from core.rules.permissions import SYSTEM
from dashboard.case.queue import view
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.visiting import labels, serve, visit, words
from tests.queries.test_disputes import statements


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def rows(app: AppTest) -> list[dict[str, Any]]:
    """What the list on screen was given."""
    (found,) = lists(app)
    return found


def lists(app: AppTest) -> list[list[dict[str, Any]]]:
    """Every list on screen; what listens for typing is none."""
    drawn = [json.loads(each.proto.json) for each in app.get("bidi_component")]  # type: ignore[attr-defined]
    return [each["rows"] for each in drawn if "rows" in each]


@pytest.mark.parametrize("subject", PEOPLE)
def test_everybody_sees_the_queue_and_mediators_may_claim(town: Town, subject: str) -> None:
    told = builders.in_mediation(town, mediator=None)
    app = visit(town, subject, "disputes")
    (row,) = rows(app)
    both = ("Ana Lindqvist", town.payer_id), ("Ben Okafor", town.payee_id)
    masked = subject in ("fay", "cora")
    names = [masked_name(name, number) if masked else name for name, number in both]
    assert [row["reference"], row["payer"], row["payee"]] == [f"D-{told.case}", *names]
    assert (row["due"]["label"], row["exact"]) == ("in 6 days", "11 Mar, 12:30")
    assert (row["platform"], row["mediator"]) == ("Home services", "Unassigned")
    assert ("Claim next case" in labels(app)) == (subject in ("mia", "max"))


def test_an_empty_queue_says_what_will_fill_it(town: Town) -> None:
    app = visit(town, "mia", "disputes")
    assert not rows(app)
    assert "Disputes that payers open appear here as cases." in words(app)


def test_a_view_and_words_stand_in_the_address(town: Town) -> None:
    builders.in_mediation(town)
    assert len(rows(visit(town, "mia", "disputes", view="mine"))) == 1
    assert "Every case has a mediator" in words(visit(town, "mia", "disputes", view="unassigned"))


def test_words_narrow_the_queue(town: Town) -> None:
    builders.in_mediation(town)
    app = visit(town, "mia", "disputes")
    assert len(rows(app.text_input(key="q").set_value("Okafor").run())) == 1
    assert "Nothing matches" in words(app.text_input(key="q").set_value("Nobody").run())


def test_claiming_takes_the_case_that_is_due_first(town: Town) -> None:
    told = builders.in_mediation(town, mediator=None)
    app = visit(town, "max", "disputes")
    next(button for button in app.button if button.label == "Claim next case").click().run()
    assert town.read(lambda s: s.get_one(Case, told.case)).mediator_id == town.staff["max"]


def test_claiming_with_nothing_left_says_so(town: Town) -> None:
    app = visit(town, "max", "disputes")
    next(button for button in app.button if button.label == "Claim next case").click().run()
    assert "No case is waiting for a mediator that you could take." in words(app)


def test_what_to_watch_for_stands_in_the_address_and_finds_only_that(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report came in.")
    builders.in_mediation(town)
    (row,) = rows(visit(town, "mia", "disputes", watch="hold"))
    assert (row["id"], [each["label"] for each in row["marks"]]) == (told.case, ["On hold"])


def test_what_one_has_seen_is_no_news_and_what_comes_later_is(town: Town) -> None:
    told = builders.in_mediation(town)
    assert rows(visit(town, "mia", "disputes"))[0]["news"] == 2
    visit(town, "mia", "case", id=told.case)
    assert rows(visit(town, "mia", "disputes"))[0]["news"] == 0
    assert rows(visit(town, "max", "disputes"))[0]["news"] == 2
    town.wait(minutes=1)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="Still no worktop.")
    town.act(conversation.say, town.as_staff("mia"), milestone_id=told.milestone, body="I ask them.")
    assert rows(visit(town, "mia", "disputes"))[0]["news"] == 1
    assert len(rows(visit(town, "mia", "disputes", watch="unread"))) == 1


def test_pages_are_turned_by_the_place_of_a_row_and_stand_in_the_address(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "SIZE", 2)
    told = [builders.in_mediation(town).case for _ in range(3)]
    app = visit(town, "mia", "disputes")
    assert [row["id"] for row in rows(app)] == told[:2]
    assert "queue-before" not in [each.key for each in app.button]
    app.button(key="queue-after").click().run()
    assert [row["id"] for row in rows(app)] == told[2:]
    assert "3–3 of 3" in words(app)
    given = app.query_params["after"]
    place = given if isinstance(given, str) else given[0]
    assert [row["id"] for row in rows(visit(town, "max", "disputes", after=place))] == told[2:]
    app.button(key="queue-before").click().run()
    assert [row["id"] for row in rows(app)] == told[:2]


def test_a_place_beyond_the_last_case_is_the_beginning(town: Town) -> None:
    told = builders.in_mediation(town)
    assert [row["id"] for row in rows(visit(town, "mia", "disputes", after="9" * 17 + ".1"))] == [told.case]


def test_a_person_who_stepped_back_sees_it_in_the_queue_and_claims_another(town: Town) -> None:
    told = builders.in_mediation(town, mediator=None)
    town.act(recusal.recuse, town.as_staff("max"), case_id=told.case, reason="A friend of mine.")
    app = visit(town, "max", "disputes")
    assert [each["label"] for each in rows(app)[0]["marks"]] == ["You recused yourself"]
    next(button for button in app.button if button.label == "Claim next case").click().run()
    assert "No case is waiting for a mediator that you could take." in words(app)


def test_the_page_asks_the_same_number_of_questions_however_many_cases_there_are(town: Town) -> None:
    builders.in_mediation(town)
    visit(town, "mia", "disputes")  # what is read once for the process is read
    with statements(town.database) as one:
        visit(town, "mia", "disputes")
    for _ in range(3):
        builders.in_mediation(town)
    with statements(town.database) as four:
        visit(town, "mia", "disputes")
    assert len(four) == len(one)


def test_the_help_sheet_opens_and_names_the_keys(town: Town) -> None:
    app = visit(town, "fay", "disputes")
    app.button(key="queue-help").click().run()
    assert "Search parties, titles and numbers" in words(app)


def test_whoever_has_no_role_sees_neither_the_queue_nor_a_case(town: Town) -> None:
    told = builders.in_mediation(town)
    row = town.act(
        install.add_staff,
        SYSTEM,
        issuer="demo",
        subject="nobody",
        name="No Body",
        email="nobody@example.com",
        roles=(),
    )
    town.staff["nobody"] = row.id
    for page, asked in (("disputes", {}), ("case", {"id": told.case})):
        app = visit(town, "nobody", page, **asked)
        assert not lists(app)
        assert "Ana Lindqvist" not in words(app)
