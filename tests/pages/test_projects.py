"""Projects on screen, for each role."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.actions.risk import holds
from core.db import Database
from core.rules.masking import masked_name
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", PEOPLE)
def test_everybody_sees_projects_and_what_is_held(town: Town, subject: str) -> None:
    told = builders.funded(town)
    row = visit(town, subject, "projects").dataframe[0].value.iloc[0]
    assert (row["id"], row["title"]) == (f"P-{told.project}", "New kitchen")
    assert row["held"].strip().startswith("$")
    shown = words(visit(town, subject, "project", id=told.project))
    for expected in (
        "New kitchen",
        masked_name("Ana Lindqvist", town.payer_id) if subject == "fay" else "Ana Lindqvist",
        masked_name("Ben Okafor", town.payee_id) if subject == "fay" else "Ben Okafor",
        "Held now",
        "Engagement",
        "Processing fee",
    ):
        assert expected in shown


def test_filters_narrow_the_list(town: Town) -> None:
    builders.funded(town)
    assert len(visit(town, "fay", "projects", status="ACTIVE").dataframe) == 1
    assert "Nothing matches" in words(visit(town, "fay", "projects", status="COMPLETED"))
    assert "Nothing matches" in words(visit(town, "fay", "projects", disputed="true"))
    builders.in_mediation(town)
    assert len(visit(town, "fay", "projects", disputed="true").dataframe[0].value) == 1
    assert "Nothing matches" in words(visit(town, "fay", "projects", q="bathroom"))


def test_an_empty_list_says_what_will_fill_it(town: Town) -> None:
    assert "A project appears here when a payer accepts a bid." in words(visit(town, "mia", "projects"))


def test_a_project_leads_to_its_cases(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "project", id=told.project)
    assert app.dataframe[0].value.iloc[0]["id"] == f"D-{told.case}"


def test_a_project_that_does_not_exist_says_where_to_look(town: Town) -> None:
    assert "There is no project P-999" in words(visit(town, "mia", "project", id=999))


def test_released_money_that_is_not_paid_has_its_place_and_says_why_it_waits(town: Town) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    page = words(visit(town, "fay", "project", id=told.project))
    assert "still payable" in page
    assert " waits" not in page
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Asked by the bank")
    page = words(visit(town, "fay", "project", id=told.project))
    assert "waits" in page
    assert "Asked by the bank" in page
