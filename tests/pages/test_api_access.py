"""API access as a page: secrets are shown once, identity is confirmed first, and only administrators come in."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.api.http import api_keys
from core.api.webhooks import endpoints
from core.db import Database
from core.records import ApiKey
from tests import builders
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def codes(app: AppTest) -> str:
    return " ".join(each.value for each in app.code)


def test_a_key_is_made_and_shown_once(town: Town) -> None:
    app = visit(town, "ada", "api_access")
    app.text_input(key="key-label").input("bidding").run()
    app.button(key="key-create").click().run()
    assert not app.exception
    assert "edk_" in codes(app)
    assert "eds_" in codes(app)
    app.run()
    assert codes(app) == ""
    (row,) = town.read(lambda session: api_keys.listed(session, now=town.now))
    assert (row.label, row.state) == ("bidding", "OPEN")


def test_an_endpoint_is_added_and_one_that_cannot_be_is_refused(town: Town) -> None:
    app = visit(town, "ada", "api_access")
    app.text_input(key="end-url").input("ftp://market.example").run()
    app.button(key="end-add").click().run()
    assert "https address" in words(app)
    app.text_input(key="end-url").input("https://market.example/events").run()
    app.button(key="end-add").click().run()
    assert "eds_" in codes(app)
    (row,) = town.read(endpoints.standings)
    assert row.url == "https://market.example/events"


def test_after_five_minutes_one_confirms_who_one_is_first(town: Town) -> None:
    app = visit(town, "ada", "api_access")
    town.wait(minutes=6)
    app.run()
    assert "Create key" not in labels(app)
    assert "I am Ada Berg" in labels(app)
    assert town.read(lambda session: session.query(ApiKey).count()) == 0


@pytest.mark.parametrize("subject", ["mia", "fay", "cora"])
def test_others_do_not_come_in(town: Town, subject: str) -> None:
    app = visit(town, subject, "api_access")
    assert "This page is not for your role" in words(app)
    assert "Create key" not in labels(app)
