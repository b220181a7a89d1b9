"""A demo's time moves on: what is due on the way happens in its order and at its time, and nowhere but in a demo."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.cases import disputes
from core.actions.demo import clock
from core.actions.milestones import verification
from core.actions.staff import sessions
from core.clock import MovedClock, system_clock, wall_time
from core.config import Settings
from core.db import Database
from core.desk import clock_of
from core.policy import HOME_SERVICES
from core.processes import timers
from core.processes.deadlines import DEADLINES
from core.queries import demo_clock
from core.records import Case, DemoClock, EventDelivery, Milestone, OutgoingEvent, Payout
from core.rules import spans
from core.rules.cases import DisputeReason
from core.rules.permissions import SYSTEM
from core.worker import moving_time
from tests.api.test_events import Listener, listening
from tests.sandbox_desk import Market

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ENTRIES = text(
    "select action, at from audit_entries where milestone_id = :milestone and actor_kind = 'system' order by id"
)


def move(market: Market, by: str) -> None:
    """As a person asks, and as the worker of the demo does it."""
    actor = market.as_staff("mia")
    market.database.run(lambda session: clock.advance(session, actor, now=market.desk.clock(), by=by))
    moving_time.advance_if_asked(market.desk, threading.Event())


def by_itself(market: Market, milestone: int) -> list[tuple[str, datetime]]:
    rows = market.read(lambda session: session.execute(ENTRIES, {"milestone": milestone}).all())
    return [(row.action, row.at) for row in rows]


def test_reminders_auto_approval_and_the_payout_come_in_their_order_each_at_its_time(market: Market) -> None:
    told = market.funded()
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    notice = market.get(Milestone, told.milestone).completion_notice_at
    move(market, "12d")
    happened = [(action, at) for action, at in by_itself(market, told.milestone) if at >= notice]
    at = dict(reversed(happened))
    reminders = [moment - notice for action, moment in happened if action.endswith("milestone:remind")]
    assert [round(each / HOUR) for each in reminders] == [72, 96, 120, 144]
    assert at["system:milestone:auto_approve"] - notice - HOME_SERVICES.auto_approve_after < MINUTE
    assert [moment for _, moment in happened] == sorted(moment for _, moment in happened)
    (payout,) = market.all(Payout)
    assert payout.paid_at is not None
    assert notice + HOME_SERVICES.auto_approve_after < payout.paid_at < market.desk.clock()
    assert abs(market.control.now() - market.desk.clock()) < MINUTE
    market.lawful()


def test_a_dispute_goes_to_mediation_and_deadlock_on_the_way(market: Market) -> None:
    told = market.funded()
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    market.act(
        disputes.open_dispute,
        market.payer,
        milestone_id=told.milestone,
        reason=DisputeReason.INCOMPLETE,
        details="One door is missing.",
    )
    move(market, "3d 1h")
    (case,) = market.all(Case)
    assert market.status(told) == "IN_MEDIATION"
    move(market, "8d")
    assert market.get(Case, case.id).escalated


def test_what_is_coming_is_what_happens(market: Market) -> None:
    told = market.funded()
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    now = market.desk.clock()
    coming = market.read(lambda session: timers.coming(session, after=now, until=now + 30 * DAY, limit=50))
    assert [(kind, round((at - now) / HOUR)) for at, kind, _ in coming] == [
        ("reminder", 72),
        ("silence", 168),
    ]
    assert all(DEADLINES[kind].what for _, kind, _ in coming)


def test_whoever_is_signed_in_stays_so_as_long_as_before_and_nobody_who_was_not(market: Market) -> None:
    now = market.desk.clock()
    long_ago = now - timedelta(minutes=16)
    begin = sessions.sign_in
    token, ended = (
        market.database.run(lambda session, at=at: begin(session, staff_id=market.staff["mia"], now=at))
        for at in (now, long_ago)
    )
    move(market, "72h")
    later = market.desk.clock()
    signed_in = market.read(lambda session: sessions.resolve(session, token, now=later, touch=False))
    assert signed_in is not None
    assert later - signed_in.authenticated_at < MINUTE
    assert signed_in.expires_at - later > sessions.ABSOLUTE - MINUTE
    assert market.read(lambda session: sessions.resolve(session, ended, now=later, touch=False)) is None


def test_a_worker_that_dies_on_the_way_is_followed_by_the_next(market: Market) -> None:
    begun, stopping = market.desk.clock(), threading.Event()
    market.database.run(lambda session: clock.advance(session, SYSTEM, now=begun, by="5h"))
    stopping.set()
    moving_time.advance_if_asked(market.desk, stopping)
    found = standing(market)
    assert found.moving
    assert found.done < 0.1
    moving_time.advance_if_asked(market.desk, threading.Event())
    found = standing(market)
    assert not found.moving
    assert timedelta(hours=5) <= market.desk.clock() - begun < timedelta(hours=5) + MINUTE


def standing(market: Market) -> demo_clock.ClockState:
    return market.read(lambda session: demo_clock.state(session, wall=wall_time(market.desk.clock)))


def test_an_endpoint_that_does_not_answer_is_named_and_its_retries_are_no_stops(market: Market) -> None:
    gone, listener = Listener(), Listener()
    gone.server.shutdown()
    gone.server.server_close()
    for each in (gone, listener):
        listening(market, each.url)
    told = market.funded()
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    begun = market.desk.clock()
    move(market, "5d")
    found = standing(market)
    assert not found.moving
    assert abs(market.desk.clock() - begun - timedelta(days=5)) < MINUTE
    assert (
        found.trouble
        == f"Endpoint 1 ({gone.url}) does not answer. Its events are tried again at growing intervals."
    )
    tries = [each for each in market.all(EventDelivery) if each.status is None]
    assert len(tries) == 2, "once on the way, and once at the end"
    assert found.stops < 40
    events = market.all(OutgoingEvent)
    waiting = [each for each in events if each.endpoint_id == 1]
    assert {each.status for each in waiting} == {"QUEUED"}
    assert len(listener.events()) == len(events) - len(waiting) > 0
    before = market.desk.clock()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    assert before <= market.all(OutgoingEvent)[-1].created_at <= market.desk.clock(), "the desk's time"
    listener.server.shutdown()
    listener.server.server_close()


def test_a_sandbox_that_is_away_is_said_and_the_move_goes_on_later(market: Market) -> None:
    market.database.run(lambda session: clock.advance(session, SYSTEM, now=market.desk.clock(), by="2h"))
    gone = market.desk.settings.model_copy(update={"stripe_api_base": "http://127.0.0.1:9"})
    with pytest.raises(moving_time.SandboxAway):
        moving_time.advance_if_asked(replace(market.desk, settings=gone), threading.Event())
    assert standing(market).trouble == "The Stripe sandbox does not answer. The clock waits for it."
    moving_time.advance_if_asked(market.desk, threading.Event())
    assert (standing(market).moving, standing(market).trouble) == (False, "")


def test_the_move_has_its_entry_and_a_second_one_waits(market: Market) -> None:
    actor = market.as_staff("ada")
    market.database.run(lambda session: clock.advance(session, actor, now=market.desk.clock(), by="72h"))
    with pytest.raises(clock.AlreadyMoving):
        market.database.run(lambda session: clock.advance(session, actor, now=market.desk.clock(), by="1h"))
    entry = text(
        "select actor_id, before, after from audit_entries where action = 'staff:demo_clock:advance'"
    )
    (row,) = market.read(lambda session: session.execute(entry).all())
    span = datetime.fromisoformat(row.after["at"]) - datetime.fromisoformat(row.before["at"])
    assert (row.actor_id, span) == (market.staff["ada"], timedelta(hours=72))


@pytest.mark.parametrize(
    "by", ["", "0h", "-72h", "72", "h", "1y", "9999999h", "400d", "1h; drop", "1.5h", "٣h"]
)
def test_only_forward_and_only_so_far(market: Market, by: str) -> None:
    with pytest.raises((spans.SpanUnreadable, spans.SpanUnfit)):
        market.database.run(lambda session: clock.advance(session, SYSTEM, now=market.desk.clock(), by=by))
    assert market.all(DemoClock) == []


@pytest.mark.parametrize(("given", "hours"), [("72h", 72), ("3d 12h", 84), ("1w2d", 216), ("90m", 1.5)])
def test_a_span_is_read_as_it_is_written(given: str, hours: float) -> None:
    assert spans.span(given, most=clock.MOST) == timedelta(hours=hours)


# -- a real installation --


@pytest.fixture
def real(market: Market, owner: Database) -> Market:
    """The same desk without the demo's mark, which no login of the desk can take off or put on."""
    with owner.transaction() as session:
        session.execute(text("update installation set demo = false"))
    return market


def test_a_real_desk_refuses_whoever_asks(real: Market) -> None:
    for actor in (real.as_staff("ada"), SYSTEM):
        with pytest.raises(clock.NotADemo):
            real.database.run(
                lambda session, a=actor: clock.advance(session, a, now=system_clock(), by="72h")
            )
    assert real.all(DemoClock) == []


ROW = (
    "insert into demo_clock values (1, interval '3 days', now(), now() + interval '3 days', 0, now(), now())"
)


def test_its_database_refuses_it_too_even_the_owner(real: Market, owner: Database) -> None:
    for database in (real.database, owner):
        with pytest.raises(DBAPIError, match="only a demo"), database.transaction() as session:
            session.execute(text(ROW))


@pytest.mark.parametrize(
    "change", ["ahead = interval '1 day'", "ahead = interval '-1 day'", "until = until - interval '1 day'"]
)
def test_the_database_refuses_every_way_back(market: Market, change: str) -> None:
    with market.database.transaction() as session:
        session.execute(text(ROW))
    with pytest.raises(DBAPIError), market.database.transaction() as session:
        session.execute(text(f"update demo_clock set {change}"))
    with pytest.raises(DBAPIError), market.database.transaction() as session:
        session.execute(text("delete from demo_clock"))


def test_a_desk_that_is_no_demo_has_the_computers_time_whatever_its_database_says(market: Market) -> None:
    with market.database.transaction() as session:
        session.execute(text(ROW))
    assert clock_of(Settings(database_url="x", demo=False), market.database) is system_clock
    assert isinstance(market.desk.clock, MovedClock)
    assert market.desk.clock() - system_clock() > 2 * DAY


def test_what_other_computers_sign_is_as_old_as_their_clock_says(market: Market) -> None:
    with market.database.transaction() as session:
        session.execute(text(ROW))
    assert abs(wall_time(market.desk.clock) - system_clock()) < MINUTE
    assert wall_time(lambda: market.now) == market.now
