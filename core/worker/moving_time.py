"""A demo's time on its way: from stop to stop, and at each everything is done that is due by then.

A stop is the next moment at which anything falls due: a deadline of the desk, a row of a queue, a timer of the Stripe
sandbox; midnight, when the day before is reconciled; and every six hours, for whatever waits without a time of its own.
The desk and the sandbox show the same time at each. A marketplace's endpoint that does not answer is tried once on the
way and once at the end, and is named: its retries are no stops. A worker that dies on the way is followed by the
next, which goes on from the last stop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from time import sleep

import requests
import structlog
from sqlalchemy.orm import Session

from core.actions.demo import clock as moves
from core.clock import wall_time
from core.db import is_anyone_present
from core.desk import Desk
from core.errors import DeskError
from core.gateways.stripe_sandbox import SandboxControl
from core.processes import timers
from core.queries import demo_clock
from core.records import WebhookEndpoint
from core.worker import tasks
from core.worker.trouble import sentence

log = structlog.get_logger("worker")

PRESENCE = 0x64656D6F  # the advisory lock of whoever moves the time
LONGEST = timedelta(hours=6)
ROUNDS, GLANCE = 100, 0.05  # what one stop sets off, and how often a call in flight is looked for, in seconds


class Unsettled(DeskError):
    """What is due at {at} does not come to rest: something is tried again at once, every time."""


class SandboxAway(DeskError):
    """The Stripe sandbox does not answer. The clock waits for it."""


def advance_if_asked(desk: Desk, stopping: threading.Event) -> None:
    """Move the time as far as somebody asked, if anybody did. What goes wrong is noted and raised."""
    with desk.database.transaction() as session:
        if demo_clock.under_way(session) is None or is_anyone_present(session, PRESENCE, 1):
            return
    sandbox = SandboxControl(desk.settings.stripe_api_base, desk.settings.stripe_api_key)
    with desk.database.presence_lock(PRESENCE, 1):
        try:
            _travel(desk, sandbox, stopping)
        except Exception as error:
            problem = SandboxAway() if isinstance(error, requests.RequestException) else error
            reason = sentence(problem) or f"{type(problem).__name__}. See the worker's log."
            desk.database.run(lambda session: moves.note_trouble(session, reason))
            raise problem from error


def _travel(desk: Desk, sandbox: SandboxControl, stopping: threading.Event) -> None:
    away = set[int]()
    _settle(desk, sandbox, away)
    while not stopping.is_set():
        with desk.database.reading() as session:
            until, now = demo_clock.under_way(session), desk.clock()
            stop = None if until is None or now >= until else _next(session, sandbox, now, until)
        if until is None:
            return
        if stop is None:
            _arrive(desk)
            return
        trouble = _unanswered(desk, away, "Its events wait until the clock has arrived.")
        step = partial(moves.stop_at, moment=stop, wall=wall_time(desk.clock), trouble=trouble)
        sandbox.follow_wall_clock(ahead=desk.database.run(step))
        log.info("time.moved", to=stop.isoformat())
        _settle(desk, sandbox, away)


def _next(session: Session, sandbox: SandboxControl, now: datetime, until: datetime) -> datetime:
    """The next moment at which anything is due, at most six hours on."""
    most = min(until, now + LONGEST, tasks.last_midnight(now) + timedelta(days=1))
    moments = [at for at, _, _ in timers.coming(session, after=now, until=most)]
    moments += [at for at in (demo_clock.next_try(session, after=now, until=most),) if at]
    moments += [at for at in (sandbox.next_timer(),) if at and at > now]
    return min([most, *moments])


def _settle(desk: Desk, sandbox: SandboxControl, away: set[int]) -> None:
    """Everything that is due now, and what that makes due, until nothing is. Raises `Unsettled`.

    Endpoints that are `away` are passed over; those that do not answer now are added to it.
    """
    sweeps: tuple[Callable[[Desk], int], ...] = (
        tasks.sweep_inbox,
        tasks.sweep_timers,
        tasks.sweep_dispatch,
        tasks.deliver,
        partial(tasks.sweep_events, away=away),
        tasks.reconcile,
    )
    for _ in range(ROUNDS):
        sandbox.deliver()
        done = sum(sweep(desk) for sweep in sweeps)
        with desk.database.reading() as session:
            waiting = demo_clock.in_flight(session)
        if not done and not waiting:
            return
        if not done:
            sleep(GLANCE)
    raise Unsettled(at=f"{desk.clock():%-d %b %Y, %H:%M} UTC")


def _arrive(desk: Desk) -> None:
    """What the worker looks at every few minutes is looked at before anybody reads that it is old."""
    tasks.look_at_client_funds(desk)
    tasks.look_at_settlement(desk)
    away = set[int]()
    tasks.sweep_events(desk, away=away)
    trouble = _unanswered(desk, away, "Its events are tried again at growing intervals.")
    desk.database.run(lambda session: moves.arrive(session, now=desk.clock(), trouble=trouble))
    log.info("time.arrived", at=desk.clock().isoformat())


def _unanswered(desk: Desk, away: set[int], then: str) -> str | None:
    """Which endpoints do not answer, for whoever waits."""
    with desk.database.reading() as session:
        known = [session.get_one(WebhookEndpoint, number) for number in sorted(away)]
        found = [f"Endpoint {each.id} ({each.url})" for each in known if each.removed_at is None]
    return " ".join(f"{each} does not answer. {then}" for each in found) or None
