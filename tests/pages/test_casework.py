"""Working a case on screen: asking, handing over, stepping back, words that are not lost, the timeline's addresses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.actions.cases import conversation, evidence, mediator_assignment, recusal
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.queries import timeline
from core.queries.timeline import TimelineFilter
from core.records import PartyRequest
from core.rules.permissions import TABLE, Permission
from core.rules.requests import RequestKind
from tests import builders
from tests.builders import PEOPLE, Town
from tests.pages.visiting import labels, serve, visit, words
from tests.queries.test_cases import read
from tests.queries.test_disputes import statements

HOSTILE = "![x](https://evil.test/a.png) <script>alert(1)</script> \u202egnp.exe اختبار 漢字 " + "long" * 60


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", PEOPLE)
def test_each_role_has_the_buttons_that_it_may_press(town: Town, subject: str) -> None:
    told = builders.in_mediation(town)
    role, shown = PEOPLE[subject][1], labels(visit(town, subject, "case", id=told.case))
    assert ("Reassign" in shown) == ("Recuse myself" in shown) == (role in TABLE[Permission.ASSIGN_CASE])
    assert ("Ask a party" in shown) == (role in TABLE[Permission.WORK_CASE])
    assert ("Claim" in shown) == (subject == "max")


@pytest.mark.parametrize("subject", PEOPLE)
def test_everybody_sees_what_a_case_waits_for_and_some_may_go_on_without(town: Town, subject: str) -> None:
    told = builders.in_mediation(town)
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        case_id=told.case,
        party_id=town.payee_id,
        question=HOSTILE,
        answer_due_at=town.now + timedelta(days=6),
        kind=RequestKind.DOCUMENT,
    )
    app = visit(town, subject, "case", id=told.case)
    whom = "The contractor" if subject == "fay" else "Ben Okafor"
    assert f"Waiting for {whom}: a document" in words(app)
    assert "<script>" not in words(app)
    assert ("Proceed without reply" in labels(app)) == (PEOPLE[subject][1] in TABLE[Permission.WORK_CASE])
    if "Proceed without reply" in labels(app):
        app.button(key="case-go-on").click().run()
        assert builders.case_of(town, told).status == "UNDER_REVIEW"


def test_a_request_is_sent_from_its_drawer_and_a_half_written_one_survives_another_visit(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    app.button(key="case-ask").click().run()
    app.text_area(key=f"case.{told.case}.request").set_value("When does it").run()
    again = visit(town, "mia", "case", id=told.case)
    again.button(key="case-ask").click().run()
    field = again.text_area(key=f"case.{told.case}.request")
    assert field.value == "When does it"
    field.set_value("When does it come?").run()
    again.button(key="ask").click().run()
    assert not again.exception
    asked = town.read(lambda s: s.scalars(select(PartyRequest)).one())
    assert (asked.question, asked.status, asked.party_id) == ("When does it come?", "OPEN", town.payee_id)
    other = visit(town, "mia", "case", id=told.case)
    other.button(key="case-ask").click().run()
    assert other.text_area(key=f"case.{told.case}.request").value == ""


def test_a_half_written_message_is_its_writers_alone(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case, tab="Messages")
    app.text_area(key=f"case.{told.case}.message").set_value("I think that").run()
    mine = visit(town, "mia", "case", id=told.case, tab="Messages")
    assert mine.text_area(key=f"case.{told.case}.message").value == "I think that"
    theirs = visit(town, "max", "case", id=told.case, tab="Messages")
    assert theirs.text_area(key=f"case.{told.case}.message").value == ""


def test_the_next_mediator_reads_what_was_handed_over(town: Town) -> None:
    told = builders.in_mediation(town)
    give = {"case_id": told.case, "staff_id": town.staff["max"], "note": HOSTILE}
    town.act(mediator_assignment.assign, town.as_staff("mia"), **give)
    shown = words(visit(town, "max", "case", id=told.case))
    assert "Handed over to Max Adler by Mia Lund" in shown
    assert "<script>" not in shown


def test_the_drawer_offers_the_best_choice_first_and_says_who_is_left_out_and_why(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(recusal.recuse, town.as_staff("max"), case_id=told.case, reason="A friend.")
    app = visit(town, "mia", "case", id=told.case)
    app.button(key="case-hand-over").click().run()
    assert "Max Adler is not offered: recused themselves from this case on" in words(app)
    ada = visit(town, "ada", "case", id=told.case)
    ada.button(key="case-hand-over").click().run()
    assert ada.selectbox[0].options == ["Nobody: back to the queue"]


def test_stepping_back_gives_the_case_away_and_takes_its_buttons(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    app.button(key="case-step-back").click().run()
    assert "at once: Max Adler, as things stand." in words(app)
    assert "becomes void" not in words(app)
    app.text_area(key=f"case.{told.case}.recusal").set_value("The payee is my cousin.").run()
    app.button(key="recuse").click().run()
    assert not app.exception
    assert builders.case_of(town, told).mediator_id == town.staff["max"]
    again = visit(town, "mia", "case", id=told.case)
    assert not {"Claim", "Reassign", "Ask a party", "Recuse myself"} & set(labels(again))
    assert "You recused yourself from this case" in words(again)
    alone = visit(town, "max", "case", id=told.case)
    alone.button(key="case-step-back").click().run()
    assert "No other mediator is available" in words(alone)
    assert "at once" not in words(alone)


def test_a_link_to_one_entry_marks_it_and_a_wrong_one_says_so(town: Town) -> None:
    told = builders.in_mediation(town)
    case = read(town, told)
    mark = town.read(lambda s: timeline.timeline(s, case)).page.marks[3]
    shown = words(visit(town, "cora", "case", id=told.case, tab="Timeline", entry=mark.name))
    assert "ed-here" in shown
    assert f"entry={mark.name}" in shown
    lost = words(visit(town, "cora", "case", id=told.case, tab="Timeline", entry="message-999"))
    assert "is no entry of this case" in lost


def test_older_events_are_a_press_away(town: Town) -> None:
    told = builders.in_mediation(town)
    for number in range(130):
        town.act(conversation.say, town.payer, milestone_id=told.milestone, body=f"Message {number:03}.")
    app = visit(town, "mia", "case", id=told.case, tab="Timeline")
    assert "Message 129." in words(app)
    assert "Message 000." not in words(app)
    app.button(key="stream-older").click().run()
    assert "Message 000." in words(app)
    assert "Message 129." not in words(app)
    app.button(key="stream-newest").click().run()
    assert "Message 129." in words(app)
    talk = visit(town, "mia", "case", id=told.case, tab="Messages")
    assert "Message 000." not in words(talk)
    talk.button(key="talk-earlier").click().run()
    assert "Message 000." in words(talk)


def test_hostile_words_stay_words_in_every_tab(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body=HOSTILE)
    for tab in ("Timeline", "Messages"):
        app = visit(town, "mia", "case", id=told.case, tab=tab)
        assert "<script>" not in words(app)
        assert "漢字" in words(app)
        assert "evil.test" not in "".join(str(each.value) for each in app.markdown)


def test_evidence_that_is_gone_or_altered_is_an_alarm_with_the_hash_on_record(
    town: Town, tmp_path: Path
) -> None:
    told = builders.in_mediation(town)
    piece = town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(tmp_path),
        milestone_id=told.milestone,
        file_name="delivery.txt",
        content=b"On Thursday.",
    )
    (path,) = (tmp_path / "evidence").rglob(piece.sha256)
    path.unlink()
    app = visit(town, "mia", "case", id=told.case)
    app.button(key=f"evidence-{told.case}-open-{piece.id}").click().run()
    assert "not in the evidence store" in app.error[0].value.replace("\\", "")
    assert any(piece.sha256 in each.value for each in app.code)


@pytest.mark.parametrize("tab", ["Evidence", "Timeline", "Messages"])
def test_a_case_asks_the_same_number_of_questions_however_much_is_in_it(
    town: Town, tmp_path: Path, tab: str
) -> None:
    told = builders.in_mediation(town)
    store = EvidenceStore(tmp_path)

    def more(number: int) -> None:
        town.act(conversation.say, town.payer, milestone_id=told.milestone, body=f"Message {number}.")
        town.act(
            evidence.submit,
            town.payer,
            store=store,
            milestone_id=told.milestone,
            file_name=f"{number}.txt",
            content=f"Words {number}.".encode(),
        )

    more(0)
    visit(town, "mia", "case", id=told.case, tab=tab)
    with statements(town.database) as few:
        visit(town, "mia", "case", id=told.case, tab=tab)
    for number in range(1, 6):
        more(number)
    with statements(town.database) as many:
        visit(town, "mia", "case", id=told.case, tab=tab)
    thumbnails = 5 * 2 if tab == "Evidence" else 0  # one look at its row for each card, kept for an hour
    assert len(many) <= len(few) + thumbnails


def test_wanted_without_anything_is_the_newest_page(town: Town) -> None:
    case = read(town, builders.in_mediation(town))
    both = (None, TimelineFilter())
    first, second = (town.read(lambda s, w=w: timeline.timeline(s, case, w)) for w in both)
    assert first == second
