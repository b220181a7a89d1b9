"""Words come back with the choice beside them that says who reads them, and are used once, whatever other tabs show."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from streamlit.testing.v1 import AppTest

from core.db import Database
from core.records import Hold, Message, PartyRequest
from core.rules.holds import HoldKind
from core.rules.requests import RequestKind
from tests import builders
from tests.builders import Told, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.fixture
def told(town: Town) -> Told:
    return builders.in_mediation(town)


@pytest.fixture
def messages(town: Town, told: Told) -> Callable[[], AppTest]:
    """Another tab with the case's messages."""
    return lambda: visit(town, "mia", "case", id=told.case, tab="Messages")


def press(app: AppTest, label: str) -> None:
    next(each for each in app.button if each.label == label).click().run()
    assert not app.exception, [each.value for each in app.exception]


def sent(town: Town, body: str) -> list[str]:
    return town.read(lambda s: list(s.scalars(select(Message.audience).where(Message.body == body))))


def test_a_note_for_staff_stays_one_in_every_tab_and_after_it_was_sent(
    town: Town, told: Told, messages: Callable[[], AppTest]
) -> None:
    field, app, shown_before = f"case.{told.case}.message", messages(), messages()
    app.button_group(key="answer-audience").set_value("STAFF").run()
    app.text_area(key=field).set_value("He drinks.").run()
    again = messages()
    assert again.button_group(key="answer-audience").value == "STAFF"
    assert again.text_area(key=field).value == "He drinks."

    shown_before.text_area(key=field).set_value("He drinks.")  # taken over, under "Both parties"
    press(shown_before, "Send")
    assert sent(town, "He drinks.") == []
    assert "changed in another tab" in words(shown_before)
    press(shown_before, "Take over")
    assert shown_before.button_group(key="answer-audience").value == "STAFF"

    press(again, "Send")
    assert sent(town, "He drinks.") == ["STAFF"]
    again.text_area(key=field).set_value("Often.").run()
    assert messages().button_group(key="answer-audience").value == "STAFF"


def test_words_that_were_used_in_another_tab_are_used_again_only_on_purpose(
    town: Town, told: Told, messages: Callable[[], AppTest]
) -> None:
    field, one = f"case.{told.case}.message", messages()
    one.text_area(key=field).set_value("When can you come?").run()
    two = messages()
    press(one, "Send")
    press(two, "Send")
    assert sent(town, "When can you come?") == ["PARTIES"]
    assert "already used in another tab" in words(two)
    assert two.text_area(key=field).value == "When can you come?"
    press(two, "Continue anyway")
    assert sent(town, "When can you come?") == ["PARTIES"] * 2
    assert "Continue anyway" not in labels(two)
    assert messages().text_area(key=field).value == ""


def test_a_question_keeps_whom_it_is_for_and_what_it_asks_for(town: Town, told: Told) -> None:
    field = f"case.{told.case}.request"
    app = visit(town, "mia", "case", id=told.case)
    press(app, "Ask a party")
    app.button_group(key=f"{field}-to").set_value(town.payer_id).run()
    app.button_group(key=f"{field}-kind").set_value(RequestKind.DOCUMENT).run()
    app.text_area(key=field).set_value("Send the invoice.").run()
    again = visit(town, "mia", "case", id=told.case)
    press(again, "Ask a party")
    press(again, "Send question")
    asked = town.read(lambda s: s.scalars(select(PartyRequest)).one())
    assert (asked.party_id, asked.kind, asked.question) == (town.payer_id, "DOCUMENT", "Send the invoice.")


def test_a_hold_keeps_its_kind_with_its_reason_on_both_pages(town: Town, told: Told) -> None:
    app = visit(town, "mia", "case", id=told.case)
    press(app, "Hold")
    app.button_group(key="hold-kind").set_value(HoldKind.RISK).run()
    app.text_area(key="hold-reason").set_value("A stolen card, says the bank.").run()
    again = visit(town, "mia", "case", id=told.case)
    press(again, "Hold")
    assert again.button_group(key="hold-kind").value == HoldKind.RISK
    panel = visit(town, "mia", "holds")
    panel.button(key="open-place").click().run()
    panel.text_input(key="hold-milestone").set_value(f"M-{told.milestone}").run()
    assert panel.text_area(key="hold-reason").value == "A stolen card, says the bank."
    panel.button(key="place-hold").click().run()
    assert town.read(lambda s: s.scalars(select(Hold.kind)).all()) == ["RISK"]
    assert town.read(lambda s: s.scalar(select(func.count()).select_from(Hold))) == 1


def test_long_words_reach_the_browser_and_their_readers_whole(
    town: Town, told: Told, messages: Callable[[], AppTest]
) -> None:
    long = "屋根の雨漏り" * 1_600
    app = messages()
    app.text_area(key=f"case.{told.case}.message").set_value(long).run()
    page = " ".join(str(each.value) for each in messages().html)
    kept = re.search(rf'data-place="case.{told.case}.message"[^>]* data-saved="([^"]*)"', page)
    assert kept is not None
    assert base64.b64decode(kept[1], validate=True).decode() == long
    press(app, "Send")
    assert long in words(messages())


def test_who_was_signed_out_comes_back_to_the_same_case_and_tab(
    town: Town, told: Told, database: Database, messages: Callable[[], AppTest]
) -> None:
    app = messages()
    with database.transaction() as session:
        session.execute(text("update staff_sessions set revoked_at = now()"))
    press(app, "Send")
    assert "You are signed out" in words(app)
    assert f"next=/%3Fid%3D{told.case}%26tab%3DMessages" in words(app)  # AppTest has no path
