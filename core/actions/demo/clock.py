"""Moving a demo's time on: one person asks, and the worker goes there stop by stop, so that everything that is due on
the way happens in its order and at its time. Signed-in sessions come along: nobody is signed out by it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.staff.sessions import IDLE
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.errors import DeskError
from core.records import DemoClock, Installation
from core.rules import spans
from core.rules.permissions import Actor, Permission, require

MOST = timedelta(days=366)
CLOCK = 1
CARRY = text("select carry_sessions(:by, :now, :idle)")


class NotADemo(DeskError):
    """Only a demo's time can be moved, and this desk is no demo. Its time is the computer's."""


class AlreadyMoving(DeskError):
    """The clock is already moving to {until:%d %B %Y at %H:%M} UTC. Wait until it is there."""


def require_demo(session: Session) -> None:
    """Raises `NotADemo`."""
    if not session.scalar(select(Installation.demo)):
        raise NotADemo()


def advance(session: Session, actor: Actor, *, now: datetime, by: str, asked_by: str = "") -> DemoClock:
    """Begin to move the time on by `72h`; `asked_by`: the API key of a marketplace's tests.

    Raises `NotADemo`, `NotPermitted`, `SpanUnreadable`, `SpanUnfit`, `AlreadyMoving`.
    """
    require_demo(session)
    require(actor, Permission.ADVANCE_DEMO_CLOCK)
    until = now + spans.span(by, most=MOST)
    one_at_a_time(session, "demo clock")
    clock = _locked(session) or _first(session, now, until)
    if clock.moving:
        raise AlreadyMoving(until=clock.until)
    clock.began_at, clock.until, clock.stops, clock.stopped_at = now, until, 0, now - clock.ahead
    clock.arrived_at = clock.trouble = None
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.DEMO_CLOCK_ADVANCE.by(actor.kind),
        object_kind="desk",
        object_id=str(session.scalar(select(Installation.name))),
        now=now,
        before={"at": now.isoformat()},
        after={"at": until.isoformat()} | ({"api_key": asked_by} if asked_by else {}),
    )
    return clock


def stop_at(session: Session, *, moment: datetime, wall: datetime, trouble: str | None = None) -> timedelta:
    """The clock shows `moment` from now on, and whoever is signed in stays so for as long as before. Returns how far it
    is ahead of the computer's clock, `wall`, then. `trouble`: what does not work meanwhile, for whoever waits."""
    clock = _locked(session)
    assert clock is not None
    assert clock.moving
    ahead = max(moment - wall, clock.ahead)
    session.execute(CARRY, {"by": ahead - clock.ahead, "now": wall + clock.ahead, "idle": IDLE})
    clock.ahead, clock.stops, clock.stopped_at, clock.trouble = ahead, clock.stops + 1, wall, trouble
    return ahead


def arrive(session: Session, *, now: datetime, trouble: str | None = None) -> None:
    """The move is over; `trouble`: what did not work at its end."""
    clock = _locked(session)
    if clock is not None and clock.moving:
        clock.arrived_at, clock.trouble = now, trouble


def note_trouble(session: Session, reason: str) -> None:
    """Why it does not go on; it is tried again."""
    clock = _locked(session)
    if clock is not None and clock.moving:
        clock.trouble = reason


def _locked(session: Session) -> DemoClock | None:
    return session.get(DemoClock, CLOCK, with_for_update=True, populate_existing=True)


def _first(session: Session, now: datetime, until: datetime) -> DemoClock:
    clock = DemoClock(id=CLOCK, ahead=timedelta(0), began_at=now, until=until, stops=0, stopped_at=now)
    clock.arrived_at = now
    session.add(clock)
    return clock
