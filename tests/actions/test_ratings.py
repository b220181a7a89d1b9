"""Reviews stay hidden until both are in or 14 days have passed; then each side has its rating and is thanked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.funding import fund
from core.actions.milestones import ratings, verification
from core.db import Database
from core.processes import timers
from core.queries import ratings as rated
from core.queries import reviews
from core.records import FinalRating, Milestone, Notification, ProjectReview, ReviewRound
from core.rules import ratings as rules
from core.rules.permissions import Actor, NotYours
from tests import builders
from tests.builders import Town
from tests.desk_fixtures import a_desk


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def finished(town: Town) -> int:
    """A project of which every milestone is paid out."""
    told = builders.funded(town)
    wanted = select(Milestone.id).where(Milestone.project_id == told.project).order_by(Milestone.position)
    for number in town.read(lambda session: session.scalars(wanted).all()):
        if number != told.milestone:
            town.act(fund.fund, town.payer, milestone_id=number)
            builders.carry_out(town)
        town.act(verification.submit, town.payee, milestone_id=number)
        town.act(verification.approve, town.payer, milestone_id=number)
        builders.carry_out(town)
    return told.project


def letters(town: Town, template: str) -> dict[int, str]:
    wanted = select(Notification).where(Notification.template == template)
    return {each.party_id: each.text for each in town.read(lambda s: s.scalars(wanted).all())}


def final(town: Town) -> dict[int, int]:
    return {each.party_id: each.tenths for each in town.read(lambda s: s.scalars(select(FinalRating)).all())}


def pass_time(town: Town, home: Path, **span: float) -> int:
    town.wait(**span)
    return timers.run_due(a_desk(town.database, home, clock=lambda: town.now))


def test_both_are_asked_and_nobody_is_thanked_yet(town: Town) -> None:
    finished(town)
    assert set(letters(town, "project_review_request")) == {town.payer_id, town.payee_id}
    assert letters(town, "thanks") == {}


def test_one_review_stays_hidden_and_the_second_opens_both(town: Town) -> None:
    project = finished(town)
    town.act(ratings.submit, town.payer, project_id=project, stars=5, body="Level and on time.")
    assert town.read(lambda s: reviews.of_project(s, project)).shown == ()
    assert final(town) == {}
    town.act(ratings.submit, town.payee, project_id=project, stars=4, body="Pays at once.")
    shown = town.read(lambda s: reviews.of_project(s, project)).shown
    assert [(each.stars, each.body) for each in shown] == [(5, "Level and on time."), (4, "Pays at once.")]
    assert final(town) == {town.payee_id: 50, town.payer_id: 40}
    thanks = letters(town, "thanks")
    assert "5.0 of 5, from 1 review" in thanks[town.payee_id]
    assert "4.0 of 5, from 1 review" in thanks[town.payer_id]


def test_after_14_days_what_is_there_is_opened_once(town: Town, tmp_path: Path) -> None:
    project = finished(town)
    town.act(ratings.submit, town.payer, project_id=project, stars=3)
    due = town.read(lambda s: s.get_one(ReviewRound, project)).due_at
    assert due == town.now + timedelta(days=14)
    assert pass_time(town, tmp_path, days=14, microseconds=-1) == 0
    assert pass_time(town, tmp_path, microseconds=1) == 1
    assert final(town) == {town.payee_id: 30}
    assert set(letters(town, "thanks")) == {town.payer_id, town.payee_id}
    assert pass_time(town, tmp_path, days=30) == 0
    with pytest.raises(rules.ReviewsClosed):
        town.act(ratings.submit, town.payee, project_id=project, stars=1)


def test_without_any_review_both_are_thanked_without_a_rating(town: Town, tmp_path: Path) -> None:
    finished(town)
    pass_time(town, tmp_path, days=14)
    assert final(town) == {}
    assert all("Your rating" not in words for words in letters(town, "thanks").values())


def test_a_rating_is_the_mean_of_every_open_review(town: Town) -> None:
    for stars in (5, 4, 4):
        project = finished(town)
        town.act(ratings.submit, town.payer, project_id=project, stars=stars)
        town.act(ratings.submit, town.payee, project_id=project, stars=5)
    parties = (town.payee_id, 10**9)
    assert town.read(lambda s: rated.of_parties(s, parties)) == {town.payee_id: "4.3 of 5, 3 reviews"}


def test_each_party_reviews_once_and_nobody_else_at_all(town: Town) -> None:
    project = finished(town)
    town.act(ratings.submit, town.payer, project_id=project, stars=5)
    with pytest.raises(ratings.ReviewedAlready):
        town.act(ratings.submit, town.payer, project_id=project, stars=1)
    stranger = Actor("party", builders.a_party(town, "PAYER", "Eve Stone"))
    with pytest.raises(NotYours):
        town.act(ratings.submit, stranger, project_id=project, stars=1)
    with pytest.raises(NotYours):
        town.act(ratings.submit, town.as_staff("mia"), project_id=project, stars=1)


def test_a_project_that_goes_on_is_not_reviewed(town: Town) -> None:
    with pytest.raises(ratings.NotAsked):
        town.act(ratings.submit, town.payer, project_id=builders.funded(town).project, stars=5)


@pytest.mark.parametrize("stars", [0, 6, -1, 10**9, True, 4.5])
def test_stars_are_one_to_five_and_whole(stars: int) -> None:
    with pytest.raises(rules.StarsOutOfRange):
        rules.check(stars, "")


def test_a_review_has_an_end() -> None:
    rules.check(5, "x" * rules.LONGEST)
    with pytest.raises(rules.ReviewTooLong):
        rules.check(5, "x" * (rules.LONGEST + 1))


@pytest.mark.parametrize(
    ("stars", "tenths"),
    [([], None), ([5], 50), ([5, 4, 4], 43), ([1, 2], 15), ([4, 4, 4, 5], 43), ([1] * 7, 10)],
)
def test_a_rating_is_rounded_half_up_to_a_tenth(stars: list[int], tenths: int | None) -> None:
    assert rules.rating(stars) == tenths


def test_a_review_cannot_be_changed_in_sql(town: Town, owner: Database) -> None:
    town.act(ratings.submit, town.payer, project_id=finished(town), stars=2)
    with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
        session.execute(text("update project_reviews set stars = 5"))
    assert town.read(lambda s: s.scalars(select(ProjectReview.stars)).all()) == [2]
