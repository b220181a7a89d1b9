"""Held funds on screen: from the overview down to the account of a milestone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.db import Database
from core.rules.permissions import TABLE, Permission
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.downloading import rows_of, taken
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    builders.funded(town)
    town.wait(days=40)
    builders.funded(town)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", PEOPLE)
def test_they_are_for_those_who_read_the_ledger(town: Town, subject: str) -> None:
    app = visit(town, subject, "held_funds")
    assert ("Both marketplaces" in str(app.selectbox)) == (
        PEOPLE[subject][1] in TABLE[Permission.READ_LEDGER]
    )


def test_the_filter_stands_in_the_address_and_in_the_file(town: Town) -> None:
    app = visit(town, "fay", "held_funds", age="OVER_30", currency="USD")
    (row,) = rows_of(taken(app, "client-funds-held.csv"))
    assert (row["Marketplace"], row["Account"].startswith("held:")) == ("home_services", True)
    assert len(rows_of(taken(visit(town, "fay", "held_funds"), "client-funds-held.csv"))) == 2


def test_an_unknown_age_in_the_address_is_said(town: Town) -> None:
    assert "OLD” is not a valid value" in words(visit(town, "fay", "held_funds", age="OLD"))


def test_the_overview_ages_what_is_held_and_shows_every_day(town: Town) -> None:
    app = visit(town, "fay", "overview")
    (aged,) = rows_of(taken(app, "client-funds-by-age.csv"))
    assert aged["Milestones"] == "2"
    assert len(rows_of(taken(app, "daily-cash.csv"))) == 90
    app = visit(town, "fay", "overview", **{"daily-USD:chosen": 0})
    assert not app.exception
