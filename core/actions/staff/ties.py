"""Ties of staff to parties: declared, or found because both have the same e-mail address, and then settled by a person.

A found tie keeps a colleague from the party's matters as a declared one does: no case of it is given to them
(`mediator_assignment`), and they are not the second person (`proposals`). Confirming one is declaring it, by the
colleague or an administrator; ruling one out takes an administrator, and never the colleague.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.staff import members
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import Party, Staff, StaffTie, TieRuledOut
from core.records.people import found_ties
from core.rules.permissions import Actor, Permission, require, staff_number
from core.rules.reasons import given


class NoTieFound(DeskError):
    """No tie of {name} to party {party} is found that waits for an answer. Nothing was changed."""


class OwnTie(DeskError):
    """You cannot rule out a tie of your own: ask another administrator."""


class TiedAlready(DeskError):
    """Member of staff {staff} is tied to party {party} already. Nothing was changed."""


def declare_tie(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, party_id: int, reason: str
) -> None:
    """A member of staff is tied to a party and will not be given its cases; declared by oneself or an administrator.

    What they decided or approved about it and is not executed is returned (`returned_proposals`). Raises
    `NotPermitted`, `ReasonMissing`, `NotFound`, `TiedAlready`.
    """
    if actor.id != staff_id or actor.kind != "staff":
        require(actor, Permission.MANAGE_STAFF, now)
    reason = given(reason)
    for kind, table, number in (("member of staff", Staff, staff_id), ("party", Party, party_id)):
        if session.get(table, number) is None:
            raise NotFound(kind=kind, id=number)
    if session.get(StaffTie, (staff_id, party_id)) is not None:
        raise TiedAlready(staff=staff_id, party=party_id)
    session.add(StaffTie(staff_id=staff_id, party_id=party_id, reason=reason, declared_at=now))
    audit.record(
        session,
        actor,
        AuditAction.TIE_DECLARE.by("staff"),
        object_kind="staff",
        object_id=staff_id,
        now=now,
        reason=reason,
        after={"party": party_id},
    )


def rule_out(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, party_id: int, reason: str
) -> None:
    """The address that both have means nothing: from now on the colleague may be given the party's cases. Raises
    `NoTieFound`, `OwnTie`, `NotPermitted`, `ReasonMissing`."""
    require(actor, Permission.MANAGE_STAFF, now)
    reason, me = (
        given(reason),
        staff_number(actor, action="rule out a tie", roles="administrators who are named"),
    )
    if me == staff_id:
        raise OwnTie()
    session.execute(members.LOCK)
    if not is_found(session, staff_id, party_id):
        raise NoTieFound(name=session.get_one(Staff, staff_id).name, party=party_id)
    row = TieRuledOut(staff_id=staff_id, party_id=party_id, reason=reason, ruled_by=me, ruled_at=now)
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.TIE_RULE_OUT.by("staff"),
        object_kind="staff",
        object_id=staff_id,
        now=now,
        reason=reason,
        after={"party": party_id},
        contents=[row],
    )


def is_found(session: Session, staff_id: int, party_id: int) -> bool:
    wanted = select(found_ties.c.party_id).where(
        found_ties.c.staff_id == staff_id, found_ties.c.party_id == party_id
    )
    return session.scalars(wanted).first() is not None
