"""Every timer on PostgreSQL: a microsecond before its instant nothing at all happens; at its instant it fires, once.

What a person does by a deadline (to dispute, to accept, to answer the bank, to go on in a session) is tried on either
side of it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from core.actions.cases import conversation, disputes, mediator_assignment, offers
from core.actions.chargebacks import lifecycle
from core.actions.decisions import confirmation
from core.actions.funding import fund
from core.actions.milestones import bids, engagement, payment_schedule, ratings, verification
from core.actions.risk import holds
from core.actions.staff import sessions
from core.db import Database
from core.gateways.payments import DisputeSnapshot
from core.money import Money
from core.processes import timers
from core.queries import overview
from core.records import (
    Case,
    Decision,
    Milestone,
    Notification,
    Offer,
    OutgoingOperation,
    PaymentOrder,
    ProjectReview,
    ReviewRound,
)
from core.rules.disputes import DisputeReason, DisputeWindowClosed
from core.rules.milestones import Status
from core.rules.offers import OfferExpired
from core.rules.permissions import StepUpRequired
from core.rules.ratings import ReviewsClosed
from core.rules.schedule import PlannedMilestone
from core.rules.transitions import IllegalMove
from tests import builders, unrecorded
from tests.builders import Told, Town
from tests.db_snapshot import nothing_changes
from tests.desk_fixtures import a_desk

TICK = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def run(town: Town, home: Path) -> int:
    return timers.run_due(a_desk(town.database, home, clock=lambda: town.now))


# -- how a case comes to stand before its deadline --


def legal(town: Town, project_type: str = "DOCUMENT_REVIEW", rule: str = "") -> Told:
    """A legal matter whose first milestone is paid and held."""
    town.payer_id = builders.a_party(town, "PAYER", "Ana Lindqvist", platform="legal_services")
    town.payee_id = builders.a_party(town, "PAYEE", "Ben Okafor", platform="legal_services")
    consultation = project_type == "CONSULTATION"
    project = town.act(
        bids.accept,
        town.payer,
        bid=bids.Bid(
            payer_id=town.payer_id,
            payee_id=town.payee_id,
            reference=f"matter-{next(builders.numbers)}",
            title="Review of a lease",
            scope="One lease, forty pages.",
            project_type=project_type,
            fee_mode="CONSULTATION_FIXED" if consultation else "STAGED",
            total=Money(60_000, "USD"),
        ),
    )
    if rule:
        planned = [
            PlannedMilestone(
                title="Review", deliverable="A memo.", amount=Money(60_000, "USD"), acceptance_rule=rule
            )
        ]
        town.act(payment_schedule.adjust, town.payer, project_id=project.id, planned=planned)
    for part in engagement.Part:
        who = town.payee if part in engagement.BY_PAYEE else town.payer
        town.act(engagement.confirm, who, project_id=project.id, part=part)
    wanted = select(Milestone.id).where(Milestone.project_id == project.id).order_by(Milestone.position)
    first = town.read(lambda session: session.scalars(wanted).first())
    assert first is not None
    town.act(fund.fund, town.payer, milestone_id=first)
    builders.carry_out(town)
    return Told(project.id, first)


def submitted(town: Town, told: Told | None = None) -> Told:
    told = told or builders.funded(town)
    town.wait(hours=1, microseconds=7)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    return told


def reminded(town: Town, home: Path) -> Told:
    told = submitted(town)
    town.now += 72 * HOUR
    assert run(town, home) == 1
    return told


def asked(town: Town) -> Told:
    told = builders.in_mediation(town)
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        case_id=told.case,
        party_id=town.payee_id,
        question="Which day was the worktop measured?",
        answer_due_at=town.now + 2 * DAY,
    )
    return told


def cooling_off(town: Town) -> Told:
    told = builders.in_mediation(town, legal(town))
    assert builders.decided(town, told).status == "COOLING_OFF"
    return told


def offered(town: Town) -> Told:
    told = builders.disputed(town)
    half = Money(100_000, "USD")
    town.act(offers.propose, town.payer, case_id=told.case, release=half)
    return told


def asked_back(town: Town) -> Told:
    """A bank asks a payment back, and wants its answer within nine days."""
    told = builders.funded(town)
    order = town.read(lambda session: session.get_one(PaymentOrder, told.milestone))
    asked = DisputeSnapshot(
        id="du_edge",
        created=town.now,
        op=None,
        status="needs_response",
        amount=Money(order.charge_minor, order.currency),
        reason="fraudulent",
        charge=order.stripe_charge or "",
        payment_intent=order.stripe_payment_intent,
        due_by=town.now + 9 * DAY,
        past_due=False,
        has_evidence=False,
        submission_count=0,
        refundable=False,
    )
    town.database.run(lambda session: lifecycle.follow(session, asked, now=town.now))
    return told


def declined(town: Town, retries: int = 0) -> Told:
    """The card has no money; `retries` tries of ours came before."""
    told = builders.funded(town)
    second = Told(told.project, told.milestone + 1)
    submitted(town, told)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town)
    operation = town.act(fund.fund, town.payer, milestone_id=second.milestone)

    def refuse(session: Any) -> None:
        call = session.get_one(OutgoingOperation, operation.id)
        call.status = "REFUSED"
        unrecorded.admit(session)
        session.get_one(PaymentOrder, second.milestone).retries = retries
        fund.declined(session, call, reason="No money.", code="insufficient_funds", now=town.now)

    town.database.run(refuse)
    return second


def finished(town: Town) -> Told:
    """Every milestone is paid out, and both sides are asked for a review."""
    told = builders.funded(town, total=Money(100_000, "USD"))
    submitted(town, told)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town)
    return told


# -- what is looked at --


def milestone(town: Town, told: Told) -> Milestone:
    return town.read(lambda session: session.get_one(Milestone, told.milestone))


def letters(town: Town, template: str) -> int:
    wanted = select(func.count()).select_from(Notification).where(Notification.template == template)
    return town.read(lambda session: session.scalar(wanted) or 0)


def bank_alarms(town: Town, told: Told) -> int:
    """Letters to staff on the last two days; each of finance and compliance gets one."""
    wanted = select(func.count()).where(Notification.key.like("chargeback-%-alarm-%"))
    return town.read(lambda session: session.scalar(wanted) or 0)


def status(town: Town, told: Told) -> Any:
    return milestone(town, told).status


def reminders(town: Town, told: Told) -> Any:
    return (milestone(town, told).reminder_level, letters(town, "verification_reminder"))


def escalated(town: Town, told: Told) -> Any:
    return builders.case_of(town, told).escalated


def case(town: Town, told: Told) -> Any:
    return builders.case_of(town, told).status


def decision(town: Town, told: Told) -> Any:
    return town.read(lambda s: s.scalars(select(Decision.status).where(Decision.case_id == told.case)).one())


def offer(town: Town, told: Told) -> Any:
    return town.read(lambda s: s.scalars(select(Offer.status).where(Offer.case_id == told.case)).one())


def charges(town: Town, told: Told) -> Any:
    wanted = select(func.count()).select_from(OutgoingOperation)
    return town.read(lambda s: s.scalar(wanted.where(OutgoingOperation.milestone_id == told.milestone)))


def revealed(town: Town, told: Told) -> Any:
    return town.read(lambda session: session.get_one(ReviewRound, told.project)).revealed_at is not None


@dataclass(frozen=True)
class Edge:
    """`bring` leads to a moment from which `wait` is counted; `look` is `before` until then, then `after`."""

    name: str
    bring: Callable[[Town, Path], Told]
    wait: timedelta
    look: Callable[[Town, Told], Any]
    before: Any
    after: Any


EDGES = (
    Edge("alarm of a chargeback", lambda t, h: asked_back(t), 7 * DAY, bank_alarms, 0, 2),
    Edge("first reminder", lambda t, h: submitted(t), 72 * HOUR, reminders, (0, 0), (1, 1)),
    Edge("second reminder, one level higher", reminded, 24 * HOUR, reminders, (1, 1), (2, 2)),
    Edge(
        "approval by silence",
        lambda t, h: submitted(t),
        7 * DAY,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "release of a legal stage by silence",
        lambda t, h: submitted(t, legal(t)),
        72 * HOUR,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "release after the days that were agreed",
        lambda t, h: submitted(t, legal(t, rule="AUTO_RELEASE_10_DAYS")),
        10 * DAY,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "grace of a consultation",
        lambda t, h: submitted(t, legal(t, "CONSULTATION")),
        24 * HOUR,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "mediation by itself",
        lambda t, h: _at_the_dispute(t),
        3 * DAY,
        status,
        Status.DISPUTED,
        Status.IN_MEDIATION,
    ),
    Edge("deadlock", lambda t, h: _at_the_mediation(t), 7 * DAY, escalated, False, True),
    Edge("time to answer", lambda t, h: asked(t), 2 * DAY, case, "WAITING_PARTY", "UNDER_REVIEW"),
    Edge("cooling-off", lambda t, h: cooling_off(t), 24 * HOUR, decision, "COOLING_OFF", "EXECUTED"),
    Edge("offer", lambda t, h: offered(t), 3 * DAY, offer, "OPEN", "EXPIRED"),
    Edge("first try of a card again", lambda t, h: declined(t), 2 * HOUR, charges, 1, 2),
    Edge("second try", lambda t, h: declined(t, 1), 6 * HOUR, charges, 1, 2),
    Edge("third try", lambda t, h: declined(t, 2), 18 * HOUR, charges, 1, 2),
    Edge("fourth try", lambda t, h: declined(t, 3), 54 * HOUR, charges, 1, 2),
    Edge("hidden reviews", lambda t, h: finished(t), 14 * DAY, revealed, False, True),
)


def _at_the_dispute(town: Town) -> Told:
    told = submitted(town)
    case = town.act(
        disputes.open_dispute, town.payer, milestone_id=told.milestone, reason=DisputeReason.DEFECTIVE
    )
    return Told(told.project, told.milestone, case.id)


def _at_the_mediation(town: Town) -> Told:
    told = _at_the_dispute(town)
    town.act(disputes.ask_mediation, town.payee, milestone_id=told.milestone)
    return told


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_a_timer_fires_at_its_instant_not_before_and_only_once(
    town: Town, owner: Database, tmp_path: Path, edge: Edge
) -> None:
    told = edge.bring(town, tmp_path)
    due = town.now + edge.wait
    town.now = due - TICK
    run(town, tmp_path)  # what falls due earlier, such as reminders, has had its time
    assert edge.look(town, told) == edge.before
    with nothing_changes(owner):
        assert run(town, tmp_path) == 0
    town.now = due
    assert run(town, tmp_path) == 1
    assert edge.look(town, told) == edge.after
    with nothing_changes(owner):
        assert run(town, tmp_path) == 0
    town.now = due + TICK
    with nothing_changes(owner):
        assert run(town, tmp_path) == 0


def test_every_timer_has_its_edge_above() -> None:
    fired = {
        "reminder": "first reminder",
        "silence": "approval by silence",
        "mediation": "mediation by itself",
        "deadlock": "deadlock",
        "answer": "time to answer",
        "execution": "cooling-off",
        "card_retry": "first try of a card again",
        "offer": "offer",
        "reviews": "hidden reviews",
        "chargeback": "alarm of a chargeback",
    }
    assert fired.keys() == timers.SOURCES.keys() == timers.HANDLERS.keys()
    assert set(fired.values()) <= {edge.name for edge in EDGES}


def test_the_first_reminder_of_a_work_done_again_is_counted_from_the_new_notice(
    town: Town, tmp_path: Path
) -> None:
    """All clocks restart (milestone-payment-flow, Contractor Resolves Issue; DESIGN 3)."""
    told = _at_the_dispute(town)
    town.wait(days=2)
    town.act(disputes.resubmit, town.payee, milestone_id=told.milestone)
    again = town.now
    now = milestone(town, told)
    assert (now.completion_notice_at, now.reminder_level) == (again, 0)
    assert (now.next_reminder_at, now.dispute_until, now.auto_approve_at) == (
        again + 72 * HOUR,
        again + 5 * DAY,
        again + 7 * DAY,
    )
    town.now = again + 72 * HOUR - TICK
    assert run(town, tmp_path) == 0
    town.now = again + 72 * HOUR
    assert run(town, tmp_path) == 1
    town.now = again + 7 * DAY - TICK
    run(town, tmp_path)
    assert status(town, told) == "PENDING_VERIFICATION"
    town.now = again + 7 * DAY
    run(town, tmp_path)
    assert status(town, told) == "VERIFIED"


def test_silence_is_reminded_of_daily_with_a_rising_level_until_it_approves(
    town: Town, tmp_path: Path
) -> None:
    told = submitted(town)
    notice, levels = town.now, []
    while status(town, told) == "PENDING_VERIFICATION":
        town.now += HOUR
        if run(town, tmp_path):
            levels.append(((town.now - notice) // HOUR, milestone(town, told).reminder_level))
    assert levels == [(72, 1), (96, 2), (120, 3), (144, 4), (168, 4)]
    assert letters(town, "verification_reminder") == 4


# -- what a person must do by a deadline --


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
    number = town.read(lambda s: s.scalars(select(Offer.id).where(Offer.case_id == told.case)).one())
    if stands:
        assert town.act(offers.accept, town.payee, offer_id=number).status == "ACCEPTED"
        return
    with pytest.raises(OfferExpired):
        town.act(offers.accept, town.payee, offer_id=number)


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


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_dispute_that_waits_for_a_party_goes_to_mediation_all_the_same(
    town: Town, tmp_path: Path, by_itself: bool
) -> None:
    """Staff asked before there was a mediator: the answer is not waited for beyond the third day."""
    told = _at_the_dispute(town)
    began = town.now
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        case_id=told.case,
        party_id=town.payee_id,
        question="When was it delivered?",
        answer_due_at=began + 10 * DAY,
    )
    if by_itself:
        town.now = began + 3 * DAY
        assert run(town, tmp_path) == 1
    else:
        town.act(disputes.ask_mediation, town.payee, milestone_id=told.milestone)
    case = builders.case_of(town, told)
    assert (status(town, told), case.status, case.waiting_on) == ("IN_MEDIATION", "UNDER_REVIEW", None)
    town.now = began + 10 * DAY
    run(town, tmp_path)
    assert builders.case_of(town, told).escalated is True


# -- one that breaks, many that cannot go on --


def test_what_a_hold_keeps_from_its_time_keeps_nothing_else_from_its_own(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many decisions wait for a hold to be lifted: they fell due first, and they are not in the way."""
    monkeypatch.setattr(timers, "BATCH", 2)
    stopped = [cooling_off(town) for _ in range(3)]
    for told in stopped:
        town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    later = submitted(town, legal(town))
    town.wait(days=8)
    assert run(town, tmp_path) == 1
    assert [decision(town, told) for told in stopped] == ["COOLING_OFF"] * 3
    assert status(town, later) == "VERIFIED"


def test_a_deadline_that_breaks_is_noted_and_the_others_have_their_time(
    town: Town, owner: Database, tmp_path: Path
) -> None:
    first = submitted(town)
    second = submitted(town)
    with owner.transaction() as session:
        session.execute(
            text(
                "create function broken() returns trigger language plpgsql as $$ begin "
                f"if new.id = {first.milestone} then raise exception 'broken'; end if; return new; end $$"
            )
        )
        session.execute(
            text("create trigger broken before update on milestones for each row execute function broken()")
        )
    town.wait(days=8)
    assert run(town, tmp_path) == 1
    assert (status(town, first), status(town, second)) == ("PENDING_VERIFICATION", "VERIFIED")


# -- the deadline of one dispute is not that of the next --


def test_a_deadline_is_asked_for_again_under_the_lock(town: Town, tmp_path: Path) -> None:
    """Found due; before its turn the first dispute was taken back and another opened, which has 3 days of its own."""
    told = _at_the_dispute(town)
    town.now += 3 * DAY
    desk = a_desk(town.database, tmp_path, clock=lambda: town.now)
    (found,) = timers._due(desk, after=None)
    town.act(disputes.withdraw, town.payer, milestone_id=told.milestone)
    town.act(
        disputes.open_dispute, town.payer, milestone_id=told.milestone, reason=DisputeReason.NOT_AS_AGREED
    )
    assert not timers._handle(desk, found)
    assert status(town, told) == "DISPUTED"


def test_a_silence_that_was_broken_meanwhile_approves_nothing(town: Town, tmp_path: Path) -> None:
    told = submitted(town)
    town.now += 7 * DAY
    desk = a_desk(town.database, tmp_path, clock=lambda: town.now)
    found: Sequence[Any] = timers._due(desk, after=None)
    assert [kind for _, kind, _ in found] == ["silence"]
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    assert not timers._handle(desk, found[0])
    with pytest.raises(IllegalMove):
        town.act(verification.approve, town.payer, milestone_id=told.milestone)
    assert letters(town, "milestone_approved") == 1


def test_an_administrator_who_decides_in_time_is_not_told_of_a_deadlock(town: Town, tmp_path: Path) -> None:
    told = _at_the_mediation(town)
    town.act(mediator_assignment.assign, town.as_staff("mia"), case_id=told.case, staff_id=town.staff["mia"])
    town.now += 7 * DAY - TICK
    builders.decided(town, told)
    town.now += TICK
    run(town, tmp_path)
    assert not town.read(lambda session: session.get_one(Case, told.case)).escalated
