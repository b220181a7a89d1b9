"""The people page: roles, ties, sessions, and revoking one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text
from streamlit.testing.v1 import AppTest

from core.actions.staff import sessions, ties
from core.actions.staff.sessions import IDLE
from core.db import Database
from core.queries import people
from core.records import StaffSession
from core.rules.permissions import TABLE, Permission
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def sign_in(town: Town, subject: str) -> int:
    town.database.run(lambda s: sessions.sign_in(s, staff_id=town.staff[subject], now=town.now))
    return (
        town.read(lambda s: s.scalars(select(StaffSession.id).order_by(StaffSession.id.desc())).first()) or 0
    )


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


@pytest.mark.parametrize("subject", PEOPLE)
def test_the_staff_are_for_those_who_may_read_people(town: Town, subject: str) -> None:
    app = visit(town, subject, "people")
    assert bool(app.title) == (PEOPLE[subject][1] in TABLE[Permission.READ_PEOPLE])
    if app.title:
        names = [row["name"] for row in app.dataframe[0].value.to_dict("records")]
        assert names == sorted(name for name, _ in PEOPLE.values())


def test_ties_are_told_by_party_number(town: Town) -> None:
    town.act(
        ties.declare_tie,
        town.as_staff("mia"),
        staff_id=town.staff["mia"],
        party_id=town.payer_id,
        reason="Neighbours",
    )
    shown = words(visit(town, "cora", "people", id=town.staff["mia"]))
    assert f"payer {town.payer_id}" in shown
    assert "Neighbours" in shown
    assert "Ana Lindqvist" not in shown


def test_open_cases_are_counted(town: Town) -> None:
    builders.in_mediation(town)
    rows = {
        row["name"]: row["cases"].strip()
        for row in visit(town, "ada", "people").dataframe[0].value.to_dict("records")
    }
    assert (rows["Mia Lund"], rows["Max Adler"]) == ("1", "0")


def test_an_administrator_revokes_a_session_and_says_why(town: Town) -> None:
    number = sign_in(town, "mia")
    app = press(visit(town, "ada", "people", id=town.staff["mia"]), f"revoke-{number}")
    press(app, "revoke")
    assert "reason" in words(app).casefold()
    assert town.read(lambda s: s.get_one(StaffSession, number)).revoked_at is None
    app.text_area(key="revoke-reason").set_value("Lost laptop").run()
    press(app, "revoke")
    assert town.read(lambda s: s.get_one(StaffSession, number)).revoked_at == town.now
    entry = text(
        "select actor_id, reason, after->>'staff' from audit_entries where action = 'staff:session:revoke'"
    )
    assert tuple(town.read(lambda s: s.execute(entry).one())) == (
        town.staff["ada"],
        "Lost laptop",
        str(town.staff["mia"]),
    )
    assert f"revoke-{number}" not in [button.key for button in app.button]


def test_nobody_else_is_offered_to_revoke(town: Town) -> None:
    sign_in(town, "max")
    for subject in ("mia", "cora"):
        assert "Revoke" not in labels(visit(town, subject, "people", id=town.staff["max"]))


def test_a_mediator_does_not_see_when_colleagues_sign_in(town: Town) -> None:
    sign_in(town, "max")
    assert "Sessions" not in words(visit(town, "mia", "people", id=town.staff["max"]))
    assert "Sessions" in words(visit(town, "max", "people", id=town.staff["max"]))


def test_a_silent_session_has_ended_by_itself(town: Town) -> None:
    sign_in(town, "max")
    began = town.now
    town.wait(minutes=20)
    [visit_] = town.read(lambda s: people.visits(s, town.staff["max"], now=town.now))
    assert (visit_.state, visit_.ended_at) == ("ENDED", began + IDLE)
