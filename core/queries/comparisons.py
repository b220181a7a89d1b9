"""A decision that waits, beside what it would be now, and beside the one that came back before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions import standing
from core.errors import DeskError
from core.letters import Letter
from core.queries.cases import Case
from core.queries.rulings import Ruling
from core.records import Decision, Notification
from core.rules import differences
from core.rules.differences import Difference

STOPS = text(
    """
    select h.placed_at as at, 'placed' as what, h.reason as why, s.name as who
    from holds h left join staff s on s.id = h.placed_by
    where h.milestone_id = :milestone and h.placed_at > :since
    union all
    select h.released_at, 'lifted', h.release_reason, s.name
    from holds h left join staff s on s.id = h.released_by
    where h.milestone_id = :milestone and h.released_at > :since
    order by 1
    """
)


@dataclass(frozen=True)
class Stop:
    """A hold that was `placed` or `lifted` since."""

    at: datetime
    what: str
    why: str
    who: str | None


@dataclass(frozen=True)
class Comparison:
    """`now`: what would be planned otherwise now; `refused`: why it could not even be planned. `before`: what the
    decision that came back had otherwise, `returned`."""

    now: tuple[Difference, ...]
    refused: str | None
    stops: tuple[Stop, ...]
    before: tuple[Difference, ...]
    returned: Ruling | None


def of(session: Session, case: Case, ruling: Ruling) -> Comparison:
    """Only a reading: nothing is voided by looking."""
    record = ruling.record
    try:
        made = standing.present(session, case.dossier, case.ticket, record)
        now, refused = differences.between(record.plan, made.content), None
    except DeskError as problem:
        now, refused = (), problem.message
    rows = session.execute(STOPS, {"milestone": record.milestone_id, "since": record.made_at})
    earlier = next((each for each in case.rulings if each.record.id < record.id and not each.stands), None)
    return Comparison(
        now=now,
        refused=refused,
        stops=tuple(Stop(*row) for row in rows),
        before=differences.between(earlier.record.plan, record.plan) if earlier else (),
        returned=earlier,
    )


def papers(session: Session, case: Case, decision: Decision) -> Mapping[str, Letter]:
    """The letters of a decision as they look: those that were written, else those that would be."""
    sides = {
        f"{decision.plan['journal']['key']}-{each['to']}": each["audience"]
        for each in decision.plan["letters"]
    }
    rows = session.execute(
        select(Notification.key, Notification.subject, Notification.text, Notification.html).where(
            Notification.key.in_(sides)
        )
    )
    if sent := {sides[row.key]: Letter(row.subject, row.text, row.html) for row in rows}:
        return sent
    try:
        return standing.present(session, case.dossier, case.ticket, decision).papers
    except DeskError:
        return {}
