"""What kinds of projects a mediator knows: cases of these are given to them first (`core.rules.mediation`).

Chosen with the invitation, and changed by an administrator afterwards, never by the colleague: whoever chose their own
would choose their own cases.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.staff import members
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.records import Staff
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.templates import ProjectType


class SkillUnknown(DeskError):
    """The desk knows no skill “{skill}”."""


def known(skills: Iterable[str]) -> list[str]:
    """Kinds of projects, each once. Raises `SkillUnknown`."""
    kept = list(dict.fromkeys(skills))
    for each in kept:
        if each not in frozenset(ProjectType):
            raise SkillUnknown(skill=each)
    return kept


def change(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, skills: Iterable[str], reason: str
) -> Staff:
    """From now on they have these skills and no others; cases that they have stay with them. Raises `NotFound`,
    `OwnRoles`, `SkillUnknown`, `NothingChanges`, `NotPermitted`, `StepUpRequired`."""
    require(actor, Permission.MANAGE_STAFF, now)
    staff, _ = members.opened(session, actor, now=now, staff_id=staff_id)
    reason, wanted, before = given(reason), known(skills), list(staff.skills)
    if set(wanted) == set(before):
        raise members.NothingChanges(name=staff.name, is_so="has these skills")
    staff.skills = wanted
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.STAFF_CHANGE_SKILLS.by(actor.kind),
        object_kind="staff",
        object_id=staff.id,
        now=now,
        reason=reason,
        before={"skills": before},
        after={"skills": wanted},
    )
    return staff
