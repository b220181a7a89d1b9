"""The one setter of a stored status: it checks the step, and no step is taken without an entry of its transaction.

The entry that an action leaves about the same object carries the step (`audit.record`). A step that no entry carries
when the transaction is about to commit leaves its own, `system:payout:sending`. So there is one entry for a change,
never two and never none, and the database refuses a commit without (migration `records`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, object_session

from core.audit.actions import step_named
from core.audit.content_hashes import FINAL, Words
from core.audit.entries import STEPS_TAKEN, record
from core.db import Record
from core.rules import statuses
from core.rules.permissions import SYSTEM, Actor


@dataclass
class StatusStep:
    """What became of a row in this transaction: where it stood, where it stands, and what lay between."""

    row: Any
    column: str
    before: str
    after: str
    through: tuple[str, ...]
    by: Actor
    now: datetime

    @property
    def final(self) -> list[Words]:
        """The words of the row that are final with this step: a letter was sent, a case closed."""
        part = FINAL.get((self.row.__tablename__, self.after))
        return [Words(part, self.row)] if part else []

    def facts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """For the entry's `before` and `after`."""
        between = {"through": list(self.through)} if self.through else {}
        return {self.column: self.before}, {self.column: self.after, **between}


def become(row: Record, status: StrEnum, *, now: datetime, by: Actor = SYSTEM, anyway: bool = False) -> None:
    """`row` takes the step to `status`, or `IllegalMove`. Staying is no step and leaves nothing, unless `anyway`: what
    else changes of the row with it has to be told by an entry.

    `by` and `now` are what its own entry says where the action leaves none about this object. Leave the action's entry
    after the step, so that it carries it.
    """
    place = statuses.PLACES[row.__tablename__]
    before: StrEnum = getattr(row, place.column)
    after = statuses.check(row.__tablename__, before, status)
    if after == before and not anyway:
        return
    session = object_session(row)
    assert session is not None, "a status is changed in the transaction of an action"
    setattr(row, place.column, after)
    steps = _steps(session)
    known = steps.get(name := (place.noun, str(getattr(row, place.key))))
    first, through = (known.before, (*known.through, before)) if known else (before, ())
    steps[name] = StatusStep(row, place.column, first, after, through, by, now)


def _steps(session: Session) -> dict[tuple[str, str], StatusStep]:
    steps: dict[tuple[str, str], StatusStep] = session.info.setdefault(STEPS_TAKEN, {})
    return steps


@event.listens_for(Session, "before_commit", insert=True)  # before what was gathered is written
def _leave(session: Session) -> None:
    """An entry for each step that the action's own entries did not carry."""
    for (noun, number), step in session.info.pop(STEPS_TAKEN, {}).items():
        subject = step.by.kind
        record(
            session,
            step.by,
            step_named(subject, noun, step.after),
            object_kind=noun,
            object_id=number,
            now=step.now,
            milestone_id=getattr(step.row, "milestone_id", None),
            case_id=getattr(step.row, "case_id", None),
            operation_key=step.row.key if noun == "operation" else None,
            contents=step.final,
            **dict(zip(("before", "after"), step.facts(), strict=True)),
        )
