"""An answer says what it saw: news in an open dialog, another's case, a pending answer, and the marks of back then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation, evidence, names_hidden
from core.actions.decisions import drafts
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.records import Decision, Milestone
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders
from tests.builders import Told, Town
from tests.pages.test_case import fill
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


def status(town: Town, told: Told) -> str | None:
    return town.read(lambda s: s.scalar(select(Decision.status).where(Decision.case_id == told.case)))


def say(town: Town, told: Told, body: str) -> None:
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body=body)


def hand_in(town: Town, told: Told, home: Path, name: str) -> int:
    piece = town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(home),
        milestone_id=told.milestone,
        file_name=name,
        content=name.encode(),
    )
    return piece.id


def previewed(town: Town, told: Told, who: str = "mia") -> AppTest:
    app = visit(town, who, "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    return press(app, "Preview plan")


def test_whoever_approves_is_shown_first_what_came_in_while_the_dialog_was_open(town: Town) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    builders.decided(town, told)
    app = press(visit(town, "fay", "approvals", id=told.case), "Review plan")
    town.wait(minutes=1)
    say(town, told, "The photographs are of another house.")
    press(app, "Approve")
    assert status(town, told) == "AWAITING_APPROVAL"
    assert "1 of the messages in this case came in while you looked at it" in words(app)
    assert "The photographs are of another house." in words(app)
    press(app, "Approve")
    assert status(town, told) == "EXECUTED"


def test_an_approval_that_voids_is_not_shown_as_a_success(town: Town) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    builders.decided(town, told)
    app = press(visit(town, "fay", "approvals", id=told.case), "Review plan")
    town.database.run(lambda s: s.execute(update(Milestone).values(version=Milestone.version + 1)))
    press(app, "Approve")
    assert status(town, told) == "VOIDED"
    assert not app.success
    assert any("Not approved" in each.value.replace("\\", "") for each in app.error)


def test_the_plan_is_read_anew_and_can_then_be_confirmed(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    hand_in(town, told, tmp_path, "early.txt")
    app = previewed(town, told)
    assert "Evidence since" not in words(app)
    hand_in(town, told, tmp_path, "late.txt")
    shown = words(app.run())
    assert "late.txt, from the payee" in shown
    assert "early.txt, from the payee" not in shown
    assert "2 of 2 pieces of evidence are not cited." in shown
    assert "Evidence on file" in shown
    press(app, "Confirm decision")
    assert status(town, told) is None
    press(app, "Read the current plan")
    assert "Not opened by you: early.txt, late.txt." in words(app)
    assert "Evidence since" not in words(app)
    press(app, "Confirm decision")
    assert status(town, told) == "EXECUTED"


def test_a_message_while_the_plan_is_read_is_shown_before_it_is_confirmed(town: Town) -> None:
    told = builders.in_mediation(town)
    app = previewed(town, told)
    say(town, told, "We have just agreed.")
    press(app, "Confirm decision")
    assert status(town, told) is None
    assert "We have just agreed." in words(app)
    press(app, "Confirm decision")
    assert status(town, told) == "EXECUTED"


def test_anothers_case_and_a_pending_answer_are_asked_about(town: Town) -> None:
    told = builders.in_mediation(town)
    ask = {"party_id": town.payee_id, "question": "When?", "answer_due_at": town.now + timedelta(days=2)}
    town.act(conversation.ask, town.as_staff("mia"), case_id=told.case, **ask)
    app = previewed(town, told, "max")
    shown = words(app)
    assert "This case is Mia Lund's" in shown
    assert "The payee was asked on" in shown
    press(app, "Confirm decision")
    assert status(town, told) is None
    for caution in ("anothers_case", "answer_pending"):
        app.checkbox(key=f"known-{told.case}-{caution}").check().run()
    press(app, "Confirm decision")
    assert status(town, told) == "EXECUTED"


def test_ones_own_case_is_confirmed_without_a_question(town: Town) -> None:
    told = builders.in_mediation(town)
    assert not [each for each in previewed(town, told).checkbox if str(each.key).startswith("known-")]


def test_anothers_case_is_claimed_after_a_question(town: Town) -> None:
    told = builders.in_mediation(town)
    app = press(visit(town, "max", "case", id=told.case), "Claim")
    assert "This case is Mia Lund's. They are told that you took it." in words(app)
    assert builders.case_of(town, told).mediator_id == town.staff["mia"]
    press(app, "Take it over")
    assert builders.case_of(town, told).mediator_id == town.staff["max"]


def test_a_party_is_given_no_time_beyond_the_time_to_decide(town: Town) -> None:
    told = builders.in_mediation(town)
    town.wait(days=5)
    app = press(visit(town, "mia", "case", id=told.case), "Ask a party")
    times = next(each for each in app.button_group if "Until the decision is due" in each.options)
    assert times.options == ["1 day", "Until the decision is due"]


def test_looking_back_shows_what_the_mediator_had_opened_and_not_the_reader(
    town: Town, tmp_path: Path
) -> None:
    told = builders.in_mediation(town)
    first, second = (hand_in(town, told, tmp_path, name) for name in ("first.txt", "second.txt"))
    store = EvidenceStore(tmp_path)
    town.act(evidence.open_evidence, town.as_staff("mia"), store=store, evidence_id=first)
    town.wait(minutes=1)
    builders.decided(town, told)
    town.wait(minutes=1)
    for who, piece in (("mia", second), ("cora", second)):
        town.act(evidence.open_evidence, town.as_staff(who), store=store, evidence_id=piece)
    for who in ("mia", "cora"):
        pieces = [
            each.value
            for each in visit(town, who, "case", id=told.case, **{"as-of": "true"}).html
            if "ed-piece" in each.value
        ]
        opened = {
            name: ">Opened<" in piece for name in ("first", "second") for piece in pieces if name in piece
        }
        assert opened == {"first": True, "second": False}


@pytest.mark.parametrize("reveals", [False, True])
def test_looking_back_shows_the_names_that_the_mediator_saw(town: Town, reveals: bool) -> None:
    told = builders.in_mediation(town)
    mia = town.as_staff("mia")
    town.act(names_hidden.prefer, mia, blind=True)
    if reveals:
        content = {"outcome": "FULL_RELEASE", "ground": "WORK_DELIVERED", "reasons": builders.REASONS}
        town.act(drafts.save, mia, case_id=told.case, content=content)
        town.act(names_hidden.reveal, mia, case_id=told.case)
    town.wait(minutes=1)
    builders.decided(town, told)
    town.wait(minutes=1)
    town.act(names_hidden.prefer, mia, blind=False)
    now = visit(town, "cora", "case", id=told.case, tab="Parties")
    assert "Ana Lindqvist" in [each.value for each in now.subheader]
    then = visit(town, "cora", "case", id=told.case, tab="Parties", **{"as-of": "true"})
    assert ("Ana Lindqvist" in [each.value for each in then.subheader]) == reveals
    assert "Preview plan" not in labels(then)
