"""Who is kept no longer by the policy in force: since when, what keeps them nevertheless, and what waits already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.staff import policy_in_force
from core.policy import Platform, Profile
from core.policy.limits import RETENTION_AT_ONCE
from core.queries import erasure_blocks
from core.rules.refusal_reasons import Block

# Whoever has a project that goes on is in nobody's way: their time has not begun. `since` is the last that is known to
# have happened in matters of theirs.
DUE = text(
    """
    with old as (
        select p.id, p.external_id, p.name, p.platform, p.created_at from parties p
        where p.platform = :platform and p.erased_at is null and p.created_at <= :now - least(:person, :newcomer)
    ), known as (
        select o.id, o.external_id, o.name, o.platform, count(j.id) > 0 as worked,
               greatest(max(o.created_at), max(j.created_at), max(j.completed_at), max(m.ended_at), max(c.resolved_at),
                        max(b.closed_at)) as since
        from old o left join lateral (
                select * from projects where payer_id = o.id union all select * from projects where payee_id = o.id
            ) j on true
            left join milestones m on m.project_id = j.id left join cases c on c.milestone_id = m.id
            left join chargebacks b on b.milestone_id = m.id
        group by 1, 2, 3, 4 having not coalesce(bool_or(j.status = 'ACTIVE'), false)
    )
    select k.id, k.external_id, k.name, k.platform, k.since, k.worked,
           k.since + case when k.worked then :person else :newcomer end as due_at,
           h.placed_at as held_since, s.name as held_by, h.reason as held_because,
           e.id as erasure_id, e.retention_month
    from known k left join legal_holds h on h.party_id = k.id and h.lifted_at is null
        left join staff s on s.id = h.placed_by
        left join erasures e on e.party_id = k.id and e.status = 'PROPOSED'
    where k.since + case when k.worked then :person else :newcomer end <= :now
    order by due_at, k.id
    """
)
WAITING = text(
    """
    select e.id, e.retention_month as month, e.party_id, p.external_id, p.name, e.proposed_by as maker_id,
           a.name as maker, e.proposed_at, e.reason
    from erasures e join parties p on p.id = e.party_id join staff a on a.id = e.proposed_by
    where e.status = 'PROPOSED' and e.retention_month is not null order by e.id
    """
)


@dataclass(frozen=True)
class PersonDue:
    """`since`: the last that happened; `due_at`: when the policy's time was over; `erasure_id`: what waits for a second
    person; `blocks`: what is in the way, where it was looked at."""

    id: int
    external_id: str
    name: str
    platform: str
    since: datetime
    worked: bool
    due_at: datetime
    held_since: datetime | None
    held_by: str | None
    held_because: str | None
    erasure_id: int | None
    retention_month: date | None
    blocks: tuple[Block, ...] = ()

    @property
    def state(self) -> str:
        if self.erasure_id is not None:
            return "Waits for a second person"
        return " ".join(each.sentence for each in self.blocks) or "Can be erased"


@dataclass(frozen=True)
class RunWaits:
    """One person of a retention run that waits for a second person."""

    id: int
    month: date
    party_id: int
    external_id: str
    name: str
    maker_id: int
    maker: str
    proposed_at: datetime
    reason: str


@dataclass(frozen=True)
class RunPlan:
    """What a run that is proposed now does with those who are due: `chosen` are proposed, `kept` are left out because
    something is in the way of each, `later` are more than one run takes, `waiting` wait for a second person already."""

    chosen: tuple[PersonDue, ...]
    kept: tuple[PersonDue, ...]
    later: int
    waiting: int

    @property
    def due(self) -> int:
        return len(self.chosen) + len(self.kept) + self.later + self.waiting


def due(session: Session, *, now: datetime) -> list[PersonDue]:
    """Those whose time is over, the longest first. What is in the way of each is not looked at."""
    profiles = (policy_in_force.of(session, platform, now)[1] for platform in Platform)
    found = [each for profile in profiles for each in due_by(session, profile, now=now)]
    return sorted(found, key=lambda each: (each.due_at, each.id))


def due_by(session: Session, profile: Profile, *, now: datetime) -> list[PersonDue]:
    """Those of this profile's marketplace whose time would be over by it, in force or not."""
    asked = {"platform": profile.platform, "now": now}
    kept = {"person": profile.person_kept, "newcomer": profile.newcomer_kept}
    return [PersonDue(**row) for row in session.execute(DUE, asked | kept).mappings()]


def looked_at(session: Session, people: Sequence[PersonDue]) -> list[PersonDue]:
    """With everything that is in the way of erasing each of them now."""
    blocks = erasure_blocks.of_each(session, [each.id for each in people])
    return [replace(each, blocks=blocks[each.id]) for each in people]


def _in_turn(session: Session, people: Sequence[PersonDue]) -> Iterator[PersonDue]:
    """Each of them looked at, so many at once that nearly always that is all of them."""
    for first in range(0, len(people), RETENTION_AT_ONCE):
        yield from looked_at(session, people[first : first + RETENTION_AT_ONCE])


def planned(session: Session, *, now: datetime) -> RunPlan:
    """The longest due first, as many as one run takes."""
    found = due(session, now=now)
    rest = [each for each in found if each.erasure_id is None]
    chosen: list[PersonDue] = []
    kept: list[PersonDue] = []
    for seen in _in_turn(session, rest):
        if len(chosen) == RETENTION_AT_ONCE:
            break
        (kept if seen.blocks else chosen).append(seen)
    later = len(rest) - len(chosen) - len(kept)
    return RunPlan(tuple(chosen), tuple(kept), later, len(found) - len(rest))


def waiting(session: Session) -> list[RunWaits]:
    return [RunWaits(**row) for row in session.execute(WAITING).mappings()]
