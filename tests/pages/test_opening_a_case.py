"""Staff opens a case beside a hold or in a project, and sees above the queue what waits for somebody to do so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation
from core.actions.milestones import verification, verification_timeout
from core.actions.risk import holds
from core.db import Database
from core.records import Case
from core.rules.permissions import TABLE, Permission
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.visiting import labels, serve, visit, words

WAITS = "1 milestone waits for an answer: neither approved nor disputed in time"


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def submitted(town: Town) -> Told:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    return told


def unheard(town: Town) -> Told:
    """The payer wrote and did nothing else, and the time to answer is over."""
    told = submitted(town)
    town.wait(days=1)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="Not like this.")
    town.now += timedelta(days=6)
    town.database.run(
        lambda s: verification_timeout.at_deadline(s, now=town.now, milestone_id=told.milestone)
    )
    return told


def complained(town: Town) -> tuple[Told, int]:
    told = submitted(town)
    town.wait(days=6)
    made = town.act(holds.complain, town.payer, milestone_id=told.milestone, reason="The ceiling came down.")
    return told, made.id


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


def may(subject: str) -> bool:
    return PEOPLE[subject][1] in TABLE[Permission.OPEN_CASE]


@pytest.mark.parametrize("subject", PEOPLE)
def test_beside_a_late_complaint_some_may_open_a_case(town: Town, subject: str) -> None:
    _, number = complained(town)
    assert ("Open a case" in labels(visit(town, subject, "holds", id=number))) == may(subject)


@pytest.mark.parametrize("subject", PEOPLE)
def test_in_a_project_some_may_open_a_case_while_money_is_held(town: Town, subject: str) -> None:
    told = submitted(town)
    shown = labels(visit(town, subject, "project", id=told.project))
    assert ("Open a case about milestone 1" in shown) == may(subject)
    assert "Open a case about milestone 2" not in shown


@pytest.mark.parametrize("subject", PEOPLE)
def test_above_the_queue_stands_what_is_neither_approved_nor_disputed(town: Town, subject: str) -> None:
    submitted(town)
    assert WAITS not in [each.label for each in visit(town, subject, "disputes").expander]
    unheard(town)
    assert (WAITS in [each.label for each in visit(town, subject, "disputes").expander]) == may(subject)


@pytest.mark.parametrize("page", ["holds", "project"])
def test_a_case_is_opened_with_a_reason_and_the_complaint_becomes_part_of_it(town: Town, page: str) -> None:
    told, number = complained(town)
    app = visit(town, "mia", page, id=number if page == "holds" else told.project)
    press(app, f"open-case-{told.milestone}")
    assert "Both parties are told" in words(app)
    app.text_area(key="open-case-why").set_value("The photographs show it.")
    app.button(key="open-case").click().run()
    case = town.read(lambda s: s.scalars(select(Case)).one())
    assert (case.status, case.reason, case.details) == (
        "UNDER_REVIEW",
        "OPENED_BY_STAFF",
        "The ceiling came down.",
    )
    shown = visit(town, "mia", "case", id=case.id)
    assert "Opened by staff" in words(shown)


def test_without_a_reason_no_case_is_opened(town: Town) -> None:
    told = submitted(town)
    app = press(visit(town, "ada", "project", id=told.project), f"open-case-{told.milestone}")
    app.button(key="open-case").click().run()
    assert town.read(lambda s: s.scalars(select(Case)).all()) == []
