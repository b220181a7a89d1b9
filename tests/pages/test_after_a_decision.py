"""After a decision: returned to its maker, taken back, corrected by a linked case, with its papers at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation
from core.actions.decisions import confirmation
from core.actions.risk import holds
from core.db import Database
from core.money import Money
from core.records import Case, Decision
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.items import Done
from dashboard.ui import confirm
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.downloading import offered
from tests.pages.test_case import fill, press
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def newest(town: Town) -> Decision:
    return town.read(lambda s: s.scalars(select(Decision).order_by(Decision.id.desc())).first())


def waiting(town: Town) -> tuple[Told, Decision]:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    return told, builders.decided(town, told)


def by_items(app: AppTest, told: Told) -> AppTest:
    """Divide by the items of the deliverable: the first is done, the second half, the rest is not."""

    def field(name: str) -> str:
        return f"draft-{told.case}-{name}"

    app.button_group(key=field("outcome")).set_value(DecisionOutcome.PARTIAL_RELEASE).run()
    app.button_group(key=field("by")).set_value("items").run()
    app.button_group(key=field("item-1-done")).set_value(Done.FULLY).run()
    app.button_group(key=field("item-2-done")).set_value(Done.PARTLY).run()
    assert not app.exception
    return app


def test_a_case_is_divided_by_the_items_of_its_work_and_survives_a_reload(town: Town) -> None:
    told = builders.in_mediation(town)
    app = by_items(visit(town, "mia", "case", id=told.case), told)
    assert "The items sum to $1,800.00" in words(app)
    app.button(key=f"item-{told.case}-add").click().run()
    assert "has no name" in words(app) or "Write what" in words(app)
    app.button(key=f"item-{told.case}-5-away").click().run()
    again = visit(town, "mia", "case", id=told.case)
    assert again.text_input(key=f"draft-{told.case}-item-2-part").value == "50"
    assert again.button_group(key=f"draft-{told.case}-item-1-done").value == Done.FULLY
    again.selectbox(key=f"draft-{told.case}-ground").set_value(Ground.PARTIAL_WORK).run()
    again.text_area(key=f"draft-{told.case}-reasons").set_value(builders.REASONS).run()
    for name in ("ENGAGEMENT_SCOPE", "MESSAGE_HISTORY", "MILESTONE_EVIDENCE"):
        again.checkbox(key=f"draft-{told.case}-cites-{name}").check()
    again.run()
    press(again, "Preview plan")
    assert "Item by item" in words(again)
    press(again, "Confirm decision")
    made = newest(town)
    assert made.release_minor == sum(each["earned"] for each in made.plan["items"]) > 0
    assert "partly done (50 %)" in made.plan["letters"][0]["text"]


def test_a_letter_is_edited_marked_and_reset(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    app.button(key=f"letter-edit-{told.case}-payee").click().run()
    field = app.text_area(key=f"draft-{told.case}-passage-payee")
    assert field.value == f"The mediator gives these reasons:\n{builders.REASONS}"
    field.set_value("Dear Ben, <img src=x> thank you for your patience.").run()
    press(app, "Preview plan")
    shown = words(app)
    assert "Edited" in shown
    assert "&lt;img src=x&gt;" in shown
    assert "<img" not in shown
    app = visit(town, "mia", "case", id=told.case)
    app.button(key=f"letter-reset-{told.case}-payee").click().run()
    press(app, "Preview plan")
    assert ">Edited<" not in words(app)


def test_what_was_returned_is_the_form_again_and_its_checker_sees_what_is_new(town: Town) -> None:
    told, made = waiting(town)
    note = "Half of it was never delivered."
    town.act(confirmation.send_back, town.as_staff("fay"), decision_id=made.id, note=note)
    app = visit(town, "mia", "case", id=told.case)
    assert note in words(app)
    assert app.text_area(key=f"draft-{told.case}-reasons").value == builders.REASONS
    assert app.button_group(key=f"draft-{told.case}-outcome").value == DecisionOutcome.FULL_RELEASE
    half = Money(made.release_minor // 2, "USD")
    builders.decided(town, told, builders.a_draft(told, release=half))
    shown = words(visit(town, "ada", "approvals", id=told.case))
    for expected in ("Compared with the one before", note, "Partial release", half.text()):
        assert expected in shown


def test_holds_and_messages_since_are_told_apart(town: Town) -> None:
    told, _ = waiting(town)
    town.wait(minutes=5)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="Wait!")
    shown = words(visit(town, "fay", "case", id=told.case))
    assert "This does not void the decision" in shown
    assert "No changes since this decision" in shown
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report came in.")
    shown = words(visit(town, "fay", "case", id=told.case))
    assert "It cannot be approved while this stands in the way" in shown
    assert "is in place: A report came in" in shown
    assert "No changes since this decision" in shown


@pytest.mark.parametrize("subject", PEOPLE)
def test_a_decision_is_withdrawn_by_its_maker_and_returned_by_the_second_person(
    town: Town, subject: str
) -> None:
    told, _ = waiting(town)
    app = visit(town, subject, "case", id=told.case)
    if subject != "mia":
        assert not {"Withdraw decision", "Void decision"} & set(labels(app))
        return
    press(app, "Withdraw decision")
    assert "No money has moved. You get it back as a draft." in words(app)
    app.text_area(key="recall-reason").set_value("The report changes everything.").run()
    app.button(key="recall").click().run()
    assert newest(town).status == "VOIDED"
    assert "Preview plan" in labels(visit(town, "mia", "case", id=told.case))


def test_a_press_that_came_too_late_is_said_and_never_done_to_the_next_decision(town: Town) -> None:
    told, made = waiting(town)
    app = visit(town, "mia", "case", id=told.case)
    press(app, "Withdraw decision")
    app.text_area(key="recall-reason").set_value("The report changes everything.").run()
    town.act(confirmation.withdraw, town.as_staff("mia"), decision_id=made.id, reason="My own mistake.")
    app.button(key="recall").click().run()
    assert confirm.LOST in words(app)
    again = builders.decided(town, told)
    app.run()
    assert (newest(town).id, newest(town).status) == (again.id, "AWAITING_APPROVAL")
    assert "recall" not in [each.key for each in app.button]


@pytest.mark.parametrize("subject", PEOPLE)
def test_a_carried_out_decision_is_corrected_by_a_linked_case(town: Town, subject: str) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    app = visit(town, subject, "case", id=told.case)
    assert bool(offered(app)) == (
        subject != "fay"
    )  # papers bear names, which finance sees when it reveals them
    if subject in ("fay", "ada"):
        assert "Open a correction" not in labels(app)
        return
    press(app, "Open a correction")
    app.text_area(key="correction-why").set_value("The invoice was forged.").run()
    press(app, "Open correction")
    made = town.read(lambda s: s.scalars(select(Case).order_by(Case.id.desc())).first())
    assert made.corrects_id == told.case
    assert f"of the decision in D-{told.case}" in words(visit(town, "max", "case", id=made.id))
    other = visit(town, "max", "case", id=made.id)
    other.button_group(key=f"finding-{made.id}").set_value("CORRECTED").run()
    other.text_area(key=f"finding-notes-{made.id}").set_value("Reversed by finance.").run()
    press(other, "Close correction")
    assert town.read(lambda s: s.get_one(Case, made.id)).resolution == "CORRECTED"
