"""One press is one transaction: not two for a double click, none without a session, and money asks who you are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from streamlit.runtime.scriptrunner import RerunData
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.testing.v1 import AppTest

from core.actions.staff import sessions
from core.db import Database
from core.rules.permissions import Role
from dashboard import callbacks
from tests import patience
from tests.dashboard.desk_fixtures import Office


def page() -> None:
    import streamlit as st
    from sqlalchemy import text

    from core.actions.staff.sessions import NotStaff
    from dashboard.ui import confirm, header

    header.page("Press")

    def write(session, actor, now):
        if st.session_state.get("refuse"):
            raise NotStaff()
        session.execute(
            text("insert into presses (intent, who) values (:intent, :who)"),
            {"intent": intent, "who": actor.id},
        )
        return actor.id

    if intent := confirm.pressed("Do it", key="do", money=st.session_state.get("money", False)):
        confirm.carry_out(intent, write, done=lambda who: f"Done by {who}.")
    if again := st.session_state.pop("again", None):
        intent = again
        confirm.carry_out(again, write, done="Done again.")
    confirm.forget_unused()


@pytest.fixture
def app(office: Office, owner) -> AppTest:
    with owner.transaction() as session:
        session.execute(text("create table presses (intent text, who bigint)"))
        session.execute(text("grant select, insert on presses to app"))
    with office.desk.database.transaction() as session:
        token = sessions.sign_in(session, staff_id=office.staff[Role.MEDIATOR], now=office.clock())
    app = AppTest.from_function(page, default_timeout=patience.SECONDS)
    app.session_state["desk:token"] = token
    return app.run()


def presses(office: Office) -> int:
    with office.desk.database.reading() as session:
        return session.scalar(text("select count(*) from presses"))


def test_a_press_writes_once_and_says_so(app: AppTest, office: Office) -> None:
    app.button(key="do").click().run()
    assert presses(office) == 1
    assert app.success[0].value == f"Done by {office.staff[Role.MEDIATOR]}\\."


def test_a_press_counts_once_wherever_the_next_one_ends_its_run(
    app: AppTest, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else is pressed at the first, second, … point of the run at which Streamlit may end it."""
    callbacks.run_to_their_end()
    may_end, left = ScriptRequests.on_scriptrunner_yield, [0]

    def asked(self: ScriptRequests) -> object:
        left[0] -= 1
        if left[0] == 0:
            self.request_rerun(RerunData())
        return may_end(self)

    monkeypatch.setattr(ScriptRequests, "on_scriptrunner_yield", asked)
    point, said = 0, []
    while left[0] <= 0:  # else the run had no such point any more
        point = left[0] = point + 1
        app.button(key="do").click().run()
        assert presses(office) == point
        assert not app.exception
        assert not app.warning
        said.append(bool(app.success))
    drawn = said.index(
        False, 20
    )  # once the page was whole with what was done on it, the next press takes it away
    assert all(said[:drawn])
    assert drawn > point - 10


def test_nothing_is_written_without_a_press(app: AppTest, office: Office) -> None:
    app.run()
    assert presses(office) == 0


def test_a_rerun_does_not_repeat_a_press(app: AppTest, office: Office) -> None:
    app.button(key="do").click().run()
    app.run()
    assert presses(office) == 1
    assert not app.success


def test_the_second_click_of_a_double_click_finds_the_intent_used(app: AppTest, office: Office) -> None:
    intent = app.session_state["do:intent"]
    app.button(key="do").click().run()
    app.session_state["again"] = intent
    app.run()
    assert presses(office) == 1


def test_the_next_press_is_a_new_intent(app: AppTest, office: Office) -> None:
    first = app.session_state["do:intent"]
    app.button(key="do").click().run()
    assert app.session_state["do:intent"] != first
    app.button(key="do").click().run()
    assert presses(office) == 2


def test_a_refusal_is_its_sentence_and_may_be_tried_again(app: AppTest, office: Office) -> None:
    app.session_state["refuse"] = True
    app.button(key="do").click().run()
    assert not app.exception
    assert app.error[0].value == r"This person does not work at the desk, or no longer does\."
    app.session_state["refuse"] = False
    app.button(key="do").click().run()
    assert presses(office) == 1


def test_what_the_database_refuses_is_a_sentence_too(app: AppTest, office: Office, owner: Database) -> None:
    with owner.transaction() as session:
        session.execute(text("alter table presses add check (who is null)"))
    app.button(key="do").click().run()
    assert not app.exception
    assert "The database refused this" in app.error[0].value
    assert presses(office) == 0


def test_a_session_revoked_between_drawing_and_pressing_writes_nothing(app: AppTest, office: Office) -> None:
    with office.desk.database.transaction() as session:
        session.execute(text("update staff_sessions set revoked_at = now()"))
    app.button(key="do").click().run()
    assert presses(office) == 0
    assert app.error[0].value == r"This session has ended\. Sign in again\."


def test_money_asks_who_you_are_after_five_minutes(app: AppTest, office: Office) -> None:
    app.session_state["money"] = True
    office.clock.advance(timedelta(minutes=5, seconds=1))
    app.session_state["desk:person"] = None
    app.run()
    assert [button.key for button in app.button] == ["do:step-up"]
    app.button(key="do:step-up").click().run()
    app.button(key="do").click().run()
    assert presses(office) == 1


def test_money_moves_at_once_within_five_minutes(app: AppTest, office: Office) -> None:
    app.session_state["money"] = True
    office.clock.advance(timedelta(minutes=5))
    app.session_state["desk:person"] = None
    app.run()
    assert [button.key for button in app.button] == ["do"]
