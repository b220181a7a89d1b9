"""Revealing who somebody is, with a reason, for a while and in one's own session; an alarm where one sees many.

The audit log is the record of it: what is revealed is what its entries of the last minutes say.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.privacy import readings
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.errors import NotFound
from core.queries import masked
from core.records import Party
from core.rules.masking import (
    AT_ONCE,
    REVEALED_FOR,
    NobodyToReveal,
    NoSessionToRevealIn,
    TooManyToReveal,
    alarming,
)
from core.rules.permissions import Actor, Permission, Role, require
from core.rules.readings import ReadingKind
from core.rules.reasons import given


def reveal(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    party_ids: Collection[int],
    reason: str,
    page: str,
) -> datetime:
    """Show these parties to this colleague, in this session; returns until when. Each is an entry with the reason,
    and a reading. Raises `ReasonMissing`, `NobodyToReveal`, `TooManyToReveal`, `NoSessionToRevealIn`, `NotFound`,
    `NotPermitted`."""
    require(actor, Permission.REVEAL_PERSON)
    reason, wanted = given(reason), sorted(set(party_ids))
    if actor.kind != "staff" or actor.id is None or actor.session_id is None:
        raise NoSessionToRevealIn()
    if not wanted:
        raise NobodyToReveal()
    if len(wanted) > AT_ONCE:
        raise TooManyToReveal(count=len(wanted), most=AT_ONCE)
    known = set(session.scalars(select(Party.id).where(Party.id.in_(wanted))))
    if missing := [each for each in wanted if each not in known]:
        raise NotFound(kind="party", id=missing[0])
    one_at_a_time(session, f"escrow-desk reveals of {actor.id}")
    before = masked.revealed(session, actor.id, now=now)
    until = now + REVEALED_FOR
    for party_id in wanted:
        audit.record(
            session,
            actor,
            AuditAction.PERSON_REVEAL.by("staff"),
            object_kind="party",
            object_id=party_id,
            now=now,
            reason=reason,
            after={"page": page, "session": actor.session_id, "until": until},
        )
        readings.keep(session, actor, now=now, kind=ReadingKind.REVEALED_NAME, number=party_id)
    after = before | known
    if alarming(len(before), len(after)):
        _alarm(session, actor, actor.id, len(after), now=now)
    return until


def _alarm(session: Session, actor: Actor, staff_id: int, people: int, *, now: datetime) -> None:
    """An entry, and an e-mail to everybody who watches but the one whom it is about."""
    audit.record(
        session,
        actor,
        AuditAction.PERSON_REVEAL_MANY.by("staff"),
        object_kind="staff",
        object_id=staff_id,
        now=now,
        after={"people": people},
    )
    watching = (Role.ADMINISTRATOR, Role.COMPLIANCE)
    told = {each for role in watching for each in notifications.staff_of(session, role)} - {staff_id}
    notifications.tell_staff(
        session,
        "many_revealed",
        staff_ids=told,
        about=("staff", staff_id),
        key=f"staff-{staff_id}-many-revealed-{now.isoformat()}",
        now=now,
        number=staff_id,
        people=people,
    )
