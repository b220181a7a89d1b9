"""What a person does by a deadline, on either side of it: to dispute, to accept, to review, to go on in a session."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.actions.cases import disputes, settlement_proposals
from core.actions.decisions import confirmation
from core.actions.milestones import ratings
from core.actions.risk import holds
from core.actions.staff import sessions
from core.db import Database
from core.queries import overview
from core.records import (
    PaymentOrder,
    ProjectReview,
    SettlementProposal,
)
from core.rules.cases import DisputeReason, DisputeWindowClosed
from core.rules.permissions import StepUpRequired
from core.rules.ratings import ReviewsClosed
from core.rules.settlement_proposals import SettlementProposalExpired
from tests import builders
from tests.actions.deadline_stories import DAY, HOUR, TICK, finished, offered, run, status, submitted
from tests.builders import Town
from tests.db_snapshot import nothing_changes


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@pytest.mark.parametrize(("late", "allowed"), [(-TICK, True), (timedelta(0), True), (TICK, False)])
def test_a_dispute_is_heard_to_the_last_instant_of_the_fifth_day(
    town: Town, owner: Database, late: timedelta, allowed: bool
) -> None:
    told = submitted(town)
    town.now += 5 * DAY + late
    complaint = {"milestone_id": told.milestone, "reason": DisputeReason.DEFECTIVE}
    if allowed:
        assert town.act(disputes.open_dispute, town.payer, **complaint).status == "OPEN"
        return
    with nothing_changes(owner), pytest.raises(DisputeWindowClosed, match="Ask staff for a hold"):
        town.act(disputes.open_dispute, town.payer, **complaint)


def test_between_the_fifth_and_the_seventh_day_a_hold_keeps_what_silence_approves(
    town: Town, tmp_path: Path
) -> None:
    told = submitted(town)
    town.wait(days=6)
    with pytest.raises(DisputeWindowClosed):
        town.act(
            disputes.open_dispute, town.payer, milestone_id=told.milestone, reason=DisputeReason.DEFECTIVE
        )
    kept = town.act(
        holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A late complaint."
    )
    town.wait(days=1)
    run(town, tmp_path)
    order = town.read(lambda session: session.get_one(PaymentOrder, told.milestone))
    assert (status(town, told), order.state) == ("VERIFIED", "PAID_HELD")
    town.act(holds.lift, town.as_staff("ada"), hold_id=kept.id, reason="The tiles were replaced.")
    order = town.read(lambda session: session.get_one(PaymentOrder, told.milestone))
    assert order.state == "RELEASED"


@pytest.mark.parametrize(("early", "stands"), [(TICK, True), (timedelta(0), False), (-TICK, False)])
def test_an_offer_is_accepted_before_its_last_instant_only(
    town: Town, early: timedelta, stands: bool
) -> None:
    told = offered(town)
    town.now += 3 * DAY - early
    number = town.read(
        lambda s: s.scalars(
            select(SettlementProposal.id).where(SettlementProposal.case_id == told.case)
        ).one()
    )
    if stands:
        assert town.act(settlement_proposals.accept, town.payee, proposal_id=number).status == "ACCEPTED"
        return
    with pytest.raises(SettlementProposalExpired):
        town.act(settlement_proposals.accept, town.payee, proposal_id=number)


@pytest.mark.parametrize(("early", "open_"), [(TICK, True), (timedelta(0), False)])
def test_a_review_is_taken_until_the_reviews_are_opened(town: Town, early: timedelta, open_: bool) -> None:
    told = finished(town)
    town.now += 14 * DAY - early
    if open_:
        town.act(ratings.submit, town.payer, project_id=told.project, stars=5)
        assert town.read(lambda s: s.scalar(select(func.count()).select_from(ProjectReview))) == 1
        return
    with pytest.raises(ReviewsClosed):
        town.act(ratings.submit, town.payer, project_id=told.project, stars=5)


def test_money_counts_as_held_too_long_from_the_instant_of_the_75th_day(town: Town) -> None:
    told = builders.funded(town)
    funded = town.read(lambda session: session.get_one(PaymentOrder, told.milestone)).funded_at
    assert funded is not None

    def alarms(now: datetime) -> int:
        return town.read(lambda session: overview.alarms(session, now=now))

    assert [alarms(funded + 75 * DAY + off) for off in (-TICK, timedelta(0), TICK)] == [0, 1, 1]


def test_a_session_ends_after_15_idle_minutes_and_after_8_hours_whatever_happens(town: Town) -> None:
    began = town.now

    def alive(now: datetime, token: str, *, touch: bool = False) -> bool:
        return town.database.run(lambda s: sessions.resolve(s, token, now=now, touch=touch) is not None)

    token = town.database.run(lambda s: sessions.sign_in(s, staff_id=town.staff["mia"], now=began))
    quarter = timedelta(minutes=15)
    assert [alive(began + quarter + off, token) for off in (-TICK, timedelta(0), TICK)] == [
        True,
        False,
        False,
    ]
    now = began
    while now + timedelta(minutes=10) < began + 8 * HOUR:
        now += timedelta(minutes=10)
        assert alive(now, token, touch=True)
    assert alive(began + 8 * HOUR - TICK, token, touch=True)
    assert not alive(began + 8 * HOUR, token)


@pytest.mark.parametrize(
    ("age", "fresh"), [(timedelta(minutes=5), True), (timedelta(minutes=5) + TICK, False)]
)
def test_money_moves_only_within_five_minutes_of_signing_in(town: Town, age: timedelta, fresh: bool) -> None:
    told = builders.in_mediation(town)
    actor, draft = town.as_staff("mia"), builders.a_draft(told)
    plan, _ = town.act(confirmation.preview, actor, draft=draft)
    town.now += age
    confirm = {"draft": draft, "plan_hash": plan.hash, "intent": "once"}
    if fresh:
        assert town.act(confirmation.confirm, actor, **confirm).status == "EXECUTED"
        return
    with pytest.raises(StepUpRequired):
        town.act(confirmation.confirm, actor, **confirm)
