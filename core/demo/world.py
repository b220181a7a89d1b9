"""The simulated world: one clock for the desk and the sandbox, people who act, and the work that goes on behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import bindparam, exists, select

from core.clock import SimulatedClock
from core.db import Database
from core.desk import Desk
from core.gateways.stripe_sandbox import SandboxControl
from core.processes import letter_delivery, timers, webhook_processing
from core.processes.outgoing import dispatch
from core.records import OutgoingOperation, Staff, StaffRole
from core.rules.operations import OperationStatus
from core.rules.permissions import Actor, Role

Result = TypeVar("Result")
TICK = timedelta(hours=6)
DUE = select(
    exists().where(
        OutgoingOperation.status.in_((OperationStatus.QUEUED, OperationStatus.BLOCKED)),
        OutgoingOperation.next_try_at <= bindparam("now"),
    )
)


@dataclass
class World:
    """`desk.clock` stands still until the world moves it; the sandbox's clock follows before every call."""

    desk: Desk
    clock: SimulatedClock
    sandbox: SandboxControl
    next_tick: datetime
    ends: datetime
    webhooks: bool = False
    roles: dict[int, frozenset[Role]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.clock()

    def act(self, action: Callable[..., Result], actor: Actor, **arguments: Any) -> Result:
        """Run one action in its own transaction, now, and let the worker send what it queued."""
        done = self.desk.database.run(lambda session: action(session, actor, now=self.now, **arguments))
        self.send()
        return done

    def send(self) -> None:
        """What the worker would do at once: send what is due, and apply what came back."""
        if self._anything_due():
            self.sandbox.set_clock(self.now)
            dispatch.sweep(self.desk)
            self.receive()

    def receive(self) -> None:
        if self.webhooks:
            self.sandbox.deliver()
            webhook_processing.sweep(self.desk)

    def _anything_due(self) -> bool:
        with self.desk.database.glance() as session:
            return bool(session.scalar(DUE, {"now": self.now}))

    def until(self, moment: datetime) -> None:
        """Let time pass: every few hours the timers run, operations are sent and letters delivered."""
        while self.next_tick <= moment:
            self.clock.set(max(self.next_tick, self.now))
            self.next_tick += TICK
            self.background()
        self.clock.set(max(moment, self.now))

    def background(self) -> None:
        timers.run_due(self.desk)
        self.send()
        letter_delivery.deliver_due(self.desk, limit=500)

    def staff(self, staff_id: int) -> Actor:
        """A member of staff who has just signed in."""
        if staff_id not in self.roles:
            with self.desk.database.glance() as session:
                held = session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id)).all()
            self.roles[staff_id] = frozenset(Role(role) for role in held)
        return Actor("staff", staff_id, self.roles[staff_id], authenticated_at=self.now)

    def staff_with(self, role: Role) -> list[int]:
        with self.desk.database.glance() as session:
            found = session.scalars(
                select(Staff.id)
                .join(StaffRole, StaffRole.staff_id == Staff.id)
                .where(StaffRole.role == role)
                .order_by(Staff.id)
            )
            return list(found)


def party(party_id: int) -> Actor:
    return Actor("party", party_id)


@contextmanager
def simulated(desk: Desk, start: datetime, ends: datetime, sandbox: SandboxControl) -> Iterator[World]:
    """The same desk with a clock that we move and without queued jobs: the world does the worker's part itself."""
    clock = SimulatedClock(start)
    # A fill that is interrupted starts again, so its commits need not wait for the disk.
    database = Database(desk.settings.database_url, info={"jobs": False}, options="-c synchronous_commit=off")
    try:
        living = replace(desk, clock=clock, database=database)
        yield World(living, clock, sandbox, next_tick=start + TICK, ends=ends)
    finally:
        database.dispose()
        sandbox.follow_wall_clock()
