"""Hidden names: a mediator's preference, and revealing the names of one case after a first judgement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.actions.decisions import drafts
from core.actions.decisions.plan import REASONS_LEAST
from core.audit.actions import AuditAction
from core.errors import NotFound
from core.records import Case, CaseReveal, StaffPreference
from core.rules import visible_text
from core.rules.name_redaction import NothingToReveal
from core.rules.permissions import Actor, Permission, require, require_one

JUDGED = ("outcome", "ground", "by", "share")


def prefer(session: Session, actor: Actor, *, now: datetime, blind: bool | None) -> None:
    """Hide names in the cases that the actor decides, or show them, or (None) follow the marketplace's policy."""
    require(actor, Permission.READ_CASES)
    wish = insert(StaffPreference).values(staff_id=actor.id, blind=blind, updated_at=now)
    session.execute(
        wish.on_conflict_do_update(
            index_elements=["staff_id"], set_={"blind": blind, "updated_at": wish.excluded.updated_at}
        )
    )
    audit.record(
        session,
        actor,
        AuditAction.PREFERENCE_BLIND.by("staff"),
        object_kind="staff",
        object_id=actor.id or 0,
        now=now,
        after={"blind": blind},
    )


def reveal(session: Session, actor: Actor, *, now: datetime, case_id: int) -> CaseReveal:
    """Show the names of a case once the actor's draft has an outcome, a ground and reasons; that first judgement is
    kept. Doing it again changes nothing.

    Raises `NotFound`, and `NothingToReveal` while the draft lacks one of the three.
    """
    require_one(actor, Permission.DECIDE, Permission.DECIDE_ESCALATED)
    case = session.get(Case, case_id)
    if case is None:
        raise NotFound(kind="case", id=case_id)
    if (known := session.get(CaseReveal, (case_id, actor.id))) is not None:
        return known
    draft = drafts.find(session, actor, case_id=case_id)
    judged = _judgement(draft.content if draft else {})
    session.execute(
        insert(CaseReveal)
        .values(case_id=case_id, staff_id=actor.id, draft=judged, at=now)
        .on_conflict_do_nothing()
    )
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.CASE_REVEAL.by("mediator"),
        object_kind="ticket",
        object_id=case_id,
        now=now,
        after={name: judged[name] for name in JUDGED if name in judged},
        case_id=case_id,
        milestone_id=case.milestone_id,
    )
    return session.get_one(CaseReveal, (case_id, actor.id))


def _judgement(content: dict[str, Any]) -> dict[str, Any]:
    enough = content.get("outcome") and content.get("ground")
    if not enough or visible_text.length(str(content.get("reasons", ""))) < REASONS_LEAST:
        raise NothingToReveal()
    return content
