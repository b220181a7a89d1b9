"""The plan names every letter of a decision with its reader and its moment; and the choice to end the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.actions.funding import fund
from core.actions.milestones import bids, engagement, project_progression
from core.actions.milestones.milestone_context import open_milestone
from core.db import Database
from core.money import Money
from core.records import Decision, Milestone, Project
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.permissions import SYSTEM
from tests import builders
from tests.builders import Told, Town
from tests.pages.test_case import decided, fill, press
from tests.pages.visiting import serve, visit, words

BACK = DecisionOutcome.FULL_REFUND


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def legal(town: Town) -> Told:
    """A case whose decision cools off."""
    town.payer_id = builders.a_party(town, "PAYER", "Ana Lindqvist", platform="legal_services")
    town.payee_id = builders.a_party(town, "PAYEE", "Ben Okafor", platform="legal_services")
    project = town.act(
        bids.accept,
        town.payer,
        bid=bids.Bid(
            payer_id=town.payer_id,
            payee_id=town.payee_id,
            reference="quote-1",
            title="Review of a lease",
            scope="The lease, read and commented.",
            project_type="DOCUMENT_REVIEW",
            fee_mode="STAGED",
            total=Money(100_000, "USD"),
        ),
    )
    for part in engagement.Part:
        who = town.payee if part in engagement.BY_PAYEE else town.payer
        town.act(engagement.confirm, who, project_id=project.id, part=part)
    first = stages(town, project.id)[0]
    town.act(fund.fund, town.payer, milestone_id=first.id)
    builders.carry_out(town)
    builders.clear_reviews(town, first.id)
    return builders.in_mediation(town, Told(project.id, first.id))


def stages(town: Town, project_id: int) -> list[Milestone]:
    wanted = select(Milestone).where(Milestone.project_id == project_id).order_by(Milestone.position)
    return town.read(lambda session: list(session.scalars(wanted)))


def previewed(town: Town, told: Told, outcome: DecisionOutcome, ground: Ground, share: str = "") -> AppTest:
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=outcome, share=share, ground=ground)
    return press(app, "Preview plan")


def test_without_cooling_off_the_letters_go_when_it_is_confirmed(town: Town) -> None:
    told = builders.in_mediation(town)
    following = stages(town, told.project)[1].title
    app = previewed(town, told, DecisionOutcome.PARTIAL_RELEASE, Ground.PARTIAL_WORK, "400")
    shown = words(app)
    assert shown.index("When you confirm") < shown.index(
        "Decision: partial release · to Ana Lindqvist, payer"
    )
    assert shown.index("When the refund has been sent") < shown.index("Refund sent · to Ana Lindqvist, payer")
    assert "When the payout has been sent" in shown
    at_the_end = f"When the refund and the payout have been sent, about the next milestone “{following}”"
    assert shown.index(at_the_end) < shown.index("Next milestone: please fund it · to Ana Lindqvist, payer")
    assert "Decision made" not in shown
    assert "cooling-off, not before" not in shown
    # The whole of what is sent: the promise of another look stands in the frame, and was seen by nobody who decides.
    assert "Hello Ana Lindqvist," in shown
    assert "If you think that we missed something, write to us and give the case number." in shown
    assert f"Reference: case D-{told.case}, milestone M-{told.milestone}, project P-{told.project}." in shown
    press(app, "Confirm decision")
    builders.carry_out(town)
    after = press(visit(town, "mia", "case", id=told.case), "Open plan")
    assert "When the refund" not in words(after)
    assert "When you confirm" not in words(after)
    assert "Written " in words(after)
    assert "Next milestone: please fund it · to Ana Lindqvist, payer" in words(after)


def test_with_cooling_off_both_moments_are_told_apart(town: Town) -> None:
    told = legal(town)
    app = previewed(town, told, DecisionOutcome.PARTIAL_RELEASE, Ground.PARTIAL_WORK, "40")
    shown = words(app)
    first, later = shown.index("When you confirm"), shown.index("After the cooling-off, not before")
    assert first < shown.index("Decision made · to Ana Lindqvist, payer") < later
    assert later < shown.index("Decision: partial release · to Ana Lindqvist, payer")
    assert "if you confirm now" in shown
    assert "not carried out before [the moment at which its cooling-off is over]" in " ".join(shown.split())
    press(app, "Confirm decision")
    made = decided(town)
    assert made is not None
    assert made.status == "COOLING_OFF"
    stands = words(press(visit(town, "mia", "case", id=told.case), "Open plan"))
    assert f"After the cooling-off, not before {made.execute_at:%-d %b %Y, %H:%M} UTC" in stands
    assert "if you confirm now" not in stands
    assert stands.index("Written ") < stands.index("Decision made · to Ana Lindqvist, payer")


def test_where_a_second_person_approves_the_letters_wait_for_them(town: Town) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    app = previewed(town, told, DecisionOutcome.FULL_RELEASE, Ground.WORK_DELIVERED)
    assert "When a second person has approved" in words(app)
    assert "When you confirm" not in words(app)
    press(app, "Confirm decision")
    review = press(visit(town, "fay", "case", id=told.case), "Review plan")
    assert "When it is approved" in words(review)


def test_whose_case_it_is_is_told_as_well(town: Town) -> None:
    told = builders.in_mediation(town, mediator="max")
    app = previewed(town, told, DecisionOutcome.FULL_RELEASE, Ground.WORK_DELIVERED)
    assert "Your case decided by someone else · to the mediator whose case it is" in words(app)


# The project ends


def ends_key(told: Told) -> str:
    return f"draft-{told.case}-ends_project"


def has_box(app: AppTest, told: Told) -> bool:
    return any(each.key == ends_key(told) for each in app.checkbox)


def no_show(town: Town, told: Told, *, ends: bool) -> AppTest:
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=BACK, ground=Ground.PROVIDER_NO_SHOW)
    box = app.checkbox(key=ends_key(told))
    assert (box.label, box.value) == ("The project ends with this refund", False)
    if ends:
        box.check().run()
    return app


@pytest.mark.parametrize("ends", [True, False])
def test_the_box_decides_whether_the_project_goes_on(town: Town, ends: bool) -> None:
    told = builders.in_mediation(town)
    app = press(no_show(town, told, ends=ends), "Preview plan")
    assert ("Next milestone: please fund it" in words(app)) == (not ends)
    assert ("With this decision the project “New kitchen” ends." in words(app)) == ends
    assert ("Ends with this milestone: canceled" in words(app), "Goes on" in words(app)) == (ends, not ends)
    press(app, "Confirm decision")
    made: Any = decided(town)
    assert (made.status, made.ends_project) == ("EXECUTED", ends)
    builders.carry_out(town)
    status = [each.status for each in stages(town, told.project)]
    assert status[0] == "REFUNDED"
    assert status[1] == ("CANCELED" if ends else "AWAITING_FUNDING")
    project = town.read(lambda session: session.get_one(Project, told.project))
    assert project.status == ("CANCELED" if ends else "ACTIVE")
    after = words(press(visit(town, "mia", "case", id=told.case), "Open plan"))
    assert ("Next milestone: please fund it" in after) == (not ends)
    assert ("Canceled now" in after, "Active now" in after) == (ends, not ends)


def test_where_no_milestone_is_left_the_plan_says_that_the_project_ends_and_nothing_is_asked(
    town: Town,
) -> None:
    told = builders.in_mediation(town)

    def alone(session: Session) -> None:
        context = open_milestone(session, told.milestone)
        project_progression.cancel_unfunded(session, context, now=town.now)
        context.note(session, SYSTEM, "system:milestone:cancel", now=town.now)

    town.database.run(alone)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=BACK, ground=Ground.PROVIDER_NO_SHOW)
    assert not has_box(app, told)
    assert "so it ends with this decision" in words(app)
    press(app, "Preview plan")
    assert ("Ends with this milestone: canceled" in words(app), "Goes on" in words(app)) == (True, False)
    released = previewed(town, told, DecisionOutcome.FULL_RELEASE, Ground.WORK_DELIVERED)
    assert "Ends with this milestone: completed" in words(released)


def test_what_was_chosen_survives_a_reload(town: Town) -> None:
    told = builders.in_mediation(town)
    no_show(town, told, ends=True)
    again = visit(town, "mia", "case", id=told.case)
    assert again.checkbox(key=ends_key(told)).value is True


def test_a_ground_with_work_going_on_has_no_box_and_forgets_the_choice(town: Town) -> None:
    told = builders.in_mediation(town)
    app = no_show(town, told, ends=True)
    app.selectbox(key=f"draft-{told.case}-ground").set_value(Ground.WORK_NOT_AS_AGREED).run()
    assert not has_box(app, told)
    press(app, "Preview plan")
    assert "Next milestone: please fund it" in words(app)
    press(app, "Confirm decision")
    made: Any = decided(town)
    assert made.ends_project is False
    assert town.read(lambda session: session.scalars(select(Decision.ends_project)).all()) == [False]
