"""Around every page: who may see it, what everybody else sees, and what happens when a session ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.actions.staff import sessions
from core.rules.permissions import TABLE, Role
from dashboard import navigation, request_context, server
from dashboard.ui.safe import plain
from tests import patience
from tests.dashboard.desk_fixtures import Office, office
from tests.database import as_owner

__all__ = ["office"]
SCRIPT = """
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import header
from tests import patience
request_context.require(Permission.{permission})
header.page("{title}", "words of an outsider: ![x](http://evil.example/x.png)")
"""


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A page of three lines under every name of the navigation."""
    for entry in navigation.ENTRIES:
        script = SCRIPT.format(permission=entry.permission.name, title=entry.title)
        (tmp_path / f"{entry.name}.py").write_text(script, encoding="utf-8")
    monkeypatch.setattr(navigation, "SCRIPTS", tmp_path)
    navigation.on_disk.cache_clear()
    yield tmp_path
    navigation.on_disk.cache_clear()


def app_of(office: Office, role: Role) -> AppTest:
    with office.desk.database.transaction() as session:
        token = sessions.sign_in(session, staff_id=office.staff[role], now=office.clock())
    app = AppTest.from_file(server.SCRIPT, default_timeout=patience.SECONDS)
    app.session_state["desk:token"] = token
    return app.run()


def words(app: AppTest) -> str:
    return " ".join([*(each.value for each in app.title), *(each.value for each in app.html)])


@pytest.mark.parametrize("role", Role)
def test_every_role_begins_on_its_own_page(office: Office, role: Role) -> None:
    app = app_of(office, role)
    assert not app.exception
    assert app.title[0].value == navigation.on_disk()[navigation.LANDING[role]].title


@pytest.mark.parametrize("role", Role)
def test_a_page_opens_for_the_roles_of_its_permission_and_explains_itself_to_the_others(
    office: Office, role: Role, pages: Path
) -> None:
    app = app_of(office, role)
    for entry in navigation.ENTRIES:
        app.switch_page(str(pages / f"{entry.name}.py")).run()
        assert not app.exception, entry.name
        if role in TABLE[entry.permission]:
            assert app.title[0].value == plain(entry.title)
        else:
            assert not app.title
            assert "This page is not for your role" in words(app)


def test_the_person_and_the_kind_of_desk_are_always_in_sight(office: Office) -> None:
    shown = words(app_of(office, Role.FINANCE))
    assert "Some Finance" in shown
    assert "Demo · sandbox" in shown


def test_words_of_outsiders_are_not_markdown(office: Office) -> None:
    app = app_of(office, Role.MEDIATOR)
    assert "![x](" not in app.caption[0].value
    assert r"\!\[x\]\(http" in app.caption[0].value


def test_without_a_session_there_is_no_page(office: Office) -> None:
    app = AppTest.from_file(server.SCRIPT, default_timeout=patience.SECONDS).run()
    assert not app.exception
    assert not app.title
    assert "You are signed out" in words(app)


@pytest.mark.parametrize(
    "end",
    [
        lambda office: office.clock.advance(sessions.IDLE),
        lambda office: execute(office, "update staff_sessions set revoked_at = now()"),
        lambda office: execute(office, "update staff set active = false where email like 'mediator%'"),
    ],
    ids=["silence", "revoked", "inactive"],
)
def test_a_page_that_is_open_closes_when_the_session_ends(office: Office, end) -> None:
    app = app_of(office, Role.MEDIATOR)
    end(office)
    app.run()
    assert not app.title
    assert "You are signed out" in words(app)


def test_using_a_page_keeps_the_session_alive(office: Office) -> None:
    app = app_of(office, Role.MEDIATOR)
    for _ in range(4):
        office.clock.advance(timedelta(minutes=10))
        app.run()
        assert app.title


def test_what_one_person_had_on_screen_is_gone_for_the_next(office: Office) -> None:
    app = app_of(office, Role.MEDIATOR)
    app.session_state["draft"] = "reasons of the mediator"
    with office.desk.database.transaction() as session:
        app.session_state["desk:token"] = sessions.sign_in(
            session, staff_id=office.staff[Role.COMPLIANCE], now=office.clock()
        )
    app.run()
    assert "draft" not in app.session_state
    assert "Some Compliance" in words(app)


def test_no_token_is_ever_on_screen(office: Office) -> None:
    app = app_of(office, Role.MEDIATOR)
    assert app.session_state["desk:token"] not in str(app.main) + str(app.sidebar)


def execute(office: Office, sql: str) -> None:
    with as_owner(office.desk.database) as session:
        session.execute(text(sql))


def test_the_desk_of_the_process_is_the_one_that_was_said(office: Office) -> None:
    assert request_context.desk() is office.desk
