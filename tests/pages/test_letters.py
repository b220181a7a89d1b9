"""Letters on screen: the log on a project and a case, what a party wants, and what could not be delivered."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.actions.milestones import preferences
from core.db import Database
from core.records import Notification, Party
from core.rules.masking import masked_name
from core.rules.notifications import LetterStatus
from tests import builders, unrecorded
from tests.builders import Told, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def failed(town: Town, told: Told, template: str = "funds_held") -> int:
    def fail(session: Session) -> int:
        wanted = select(Notification).where(
            Notification.project_id == told.project, Notification.template == template
        )
        letter = session.scalars(wanted).one()
        letter.status, letter.tries, letter.error = "FAILED", 1, "The e-mail cannot be delivered: 550 unknown"
        unrecorded.admit(session)
        return letter.id

    return town.database.run(fail)


def log(app: AppTest) -> list[dict[str, object]]:
    frame = next(each.value for each in app.dataframe if "subject" in each.value)
    return list(frame.to_dict("records"))


@pytest.mark.parametrize("subject", builders.PEOPLE)
def test_a_project_has_the_log_of_its_letters(town: Town, subject: str) -> None:
    told = builders.funded(town)
    rows = log(visit(town, subject, "project", id=told.project))
    assert {row["kind"] for row in rows} >= {
        "Payment received and held",
        "Milestone funded",
        "Payment schedule",
    }
    both = {town.payer_id: "Ana Lindqvist", town.payee_id: "Ben Okafor"}
    readers = {masked_name(name, number) if subject == "fay" else name for number, name in both.items()}
    assert {str(row["reader"]) for row in rows} >= readers


def test_a_case_has_the_log_of_its_letters_and_each_opens_as_it_was_written(town: Town) -> None:
    told = builders.in_mediation(town, title="Kitchen **bold** <b>x</b>")
    app = visit(town, "mia", "case", id=told.case, tab="E-mails")
    rows = log(app)
    assert "Dispute opened" in {row["kind"] for row in rows}
    number = next(int(str(row["number"])[2:]) for row in rows if row["kind"] == "Dispute opened")
    app = visit(town, "mia", "case", id=told.case, tab="E-mails", letter=number)
    texts = [each.value for each in app.text]
    assert any("is not satisfied with this milestone" in each for each in texts)
    assert any("Kitchen **bold** <b>x</b>" in each for each in texts)


def test_what_was_sent_before_greetings_were_added_is_shown_without_one(town: Town) -> None:
    told = builders.funded(town)

    def sent(framed: bool) -> str:
        def send(session: Session) -> int:
            letter = session.scalars(select(Notification).where(Notification.template == "funds_held")).one()
            letter.status, letter.mail, letter.framed = LetterStatus.SENT, "notification-1.desk", framed
            unrecorded.admit(session)
            return letter.id

        number = town.database.run(send)
        return words(visit(town, "mia", "project", id=told.project, letter=number))

    assert "Hello Ana Lindqvist," not in (bare := sent(framed=False))
    assert "This is all that was sent" in bare
    assert "Hello Ana Lindqvist," in (whole := sent(framed=True))
    assert "This is all that was sent" not in whole


def test_what_a_party_wants_stands_on_its_card(town: Town) -> None:
    told = builders.funded(town)
    assert "batched, within minutes" in words(visit(town, "mia", "project", id=told.project))
    town.act(preferences.set, town.payee, party_id=town.payee_id, frequency="DAILY", muted=["thanks"])
    shown = words(visit(town, "mia", "project", id=told.project))
    assert "once a day; muted: thank you, with your rating" in shown


def test_a_letter_that_failed_is_seen_on_operations_and_sent_again_to_a_corrected_address(town: Town) -> None:
    told = builders.funded(town)
    number = failed(town, told)
    app = visit(town, "cora", "operations", **{"operations-tab": "E-mails"}, letter=number)
    assert "E-mails undelivered" in words(app)
    assert "550 unknown" in words(app)
    app.text_input(key=f"operations-address-{number}").set_value("ana@example.org").run()
    app.button(key=f"operations-again-{number}").click().run()
    assert town.read(lambda s: s.get_one(Notification, number).status) == "QUEUED"
    assert town.read(lambda s: s.get_one(Party, town.payer_id).email) == "ana@example.org"


def test_who_may_not_correct_an_address_can_still_send_again(town: Town) -> None:
    told = builders.funded(town)
    number = failed(town, told)
    app = visit(town, "mia", "project", id=told.project, letter=number)
    assert "Send again" in labels(app)
    assert not [each for each in app.text_input if "address" in str(each.key)]


def test_letters_that_fail_or_are_late_ring_on_the_overview_and_are_listed(town: Town) -> None:
    told = builders.funded(town)
    assert "E-mails are not delivered" not in words(visit(town, "fay", "overview"))
    failed(town, told)
    assert "E-mails are not delivered:** 1 given up" in words(visit(town, "fay", "overview"))
    town.wait(hours=2)
    waiting = town.read(lambda s: len(s.scalars(select(Notification.id).where(LATE)).all()))
    shown = words(visit(town, "fay", "overview"))
    assert f"1 given up and {waiting} late" in shown
    listed = log(visit(town, "fay", "operations", **{"operations-tab": "E-mails"}))
    assert len(listed) == waiting + 1


LATE = Notification.status == "QUEUED"
