"""Personal data as a page: people are found, and compliance places and lifts a legal hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.db import Database
from core.queries import personal_data
from tests import builders
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def test_compliance_places_a_legal_hold_and_lifts_it(town: Town) -> None:
    app = visit(town, "cora", "personal_data", id=town.payer_id)
    assert "nothing about this person is erased" in words(app)
    app.button(key="open-place-legal-hold").click().run()
    app.text_area(key="legal-hold-reason").input("Lawsuit 17 C 42/26").run()
    app.button(key="place-legal-hold").click().run()
    assert not app.exception
    assert "Placed by Cora Nwosu" in words(app)
    assert "Lawsuit 17 C 42/26" in words(app)
    app.button(key="open-lift-legal-hold").click().run()
    app.text_area(key="legal-hold-lift-reason").input("The lawsuit ended").run()
    app.button(key="lift-legal-hold").click().run()
    assert "The lawsuit ended" in words(app)
    (row,) = town.read(lambda s: personal_data.legal_holds(s, town.payer_id))
    assert row.lifted_by == "Cora Nwosu"


def test_administrators_look_and_place_none_and_others_do_not_come_in(town: Town) -> None:
    app = visit(town, "ada", "personal_data", id=town.payer_id)
    assert "Place legal hold" not in labels(app)
    for subject in ("mia", "fay"):
        assert "Legal hold" not in words(visit(town, subject, "personal_data", id=town.payer_id))


def test_whoever_is_not_there_is_said(town: Town) -> None:
    assert "no party 999" in words(visit(town, "cora", "personal_data", id=999)).lower()
