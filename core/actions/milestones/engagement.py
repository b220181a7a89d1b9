"""The engagement: each side confirms its part, and only then may anything be paid.

(payment-escrow-rules, Positioning and Preconditions Before Payment.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones import project_progression, projects
from core.audit.actions import AuditAction
from core.notifications import tell
from core.records import Engagement, Project
from core.rules import engagement as rules
from core.rules.permissions import Actor, require_party


class Part(StrEnum):
    """What is confirmed, one by one."""

    SCOPE_BY_PAYER = "SCOPE_BY_PAYER"
    SCOPE_BY_PAYEE = "SCOPE_BY_PAYEE"
    FEE = "FEE"
    CONFLICT_CHECK = "CONFLICT_CHECK"
    DISCLAIMERS = "DISCLAIMERS"


# The column that keeps when each was confirmed.
COLUMNS: Mapping[Part, str] = {
    Part.SCOPE_BY_PAYER: "scope_confirmed_by_payer_at",
    Part.SCOPE_BY_PAYEE: "scope_confirmed_by_payee_at",
    Part.FEE: "fee_confirmed_at",
    Part.CONFLICT_CHECK: "conflict_check_acknowledged_at",
    Part.DISCLAIMERS: "disclaimers_acknowledged_at",
}


BY_PAYEE = frozenset({Part.SCOPE_BY_PAYEE, Part.CONFLICT_CHECK})


def confirm(session: Session, actor: Actor, *, now: datetime, project_id: int, part: Part) -> Engagement:
    """One side confirms one part; when nothing is missing the engagement is ACTIVE and the project starts."""
    project, _ = projects.lock_whole(session, project_id)
    require_party(actor, project.payee_id if part in BY_PAYEE else project.payer_id)
    row = session.get_one(Engagement, project_id)
    if getattr(row, COLUMNS[part]) is None:
        setattr(row, COLUMNS[part], now)
        audit.record(
            session,
            actor,
            AuditAction.ENGAGEMENT_CONFIRM.by("party"),
            object_kind="project",
            object_id=project_id,
            now=now,
            after={"confirmed": part.name},
            project_id=project_id,
        )
    if row.status == rules.EngagementStatus.DRAFT and not rules.unconfirmed(facts_of(row)):
        _activate(session, actor, project, row, now=now)
    session.flush()
    return row


def _activate(session: Session, actor: Actor, project: Project, row: Engagement, *, now: datetime) -> None:
    audit.become(row, rules.after(row.status, rules.EngagementEvent.ACTIVATE), now=now, by=actor)
    row.activated_at = now
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.ENGAGEMENT_ACTIVATE.by("system"),
        object_kind="project",
        object_id=project.id,
        now=now,
        project_id=project.id,
    )
    for party_id in (project.payer_id, project.payee_id):
        key = f"project-{project.id}-engagement-{party_id}"
        tell(session, "engagement_active", party_id=party_id, project_id=project.id, key=key, now=now)
    project_progression.start(session, actor, project, now=now)


def facts_of(row: Engagement) -> rules.Confirmation:
    """What is confirmed, as the rules of the engagement ask for it."""
    return rules.Confirmation(
        status=row.status,
        scope_confirmed_by_payer=row.scope_confirmed_by_payer_at is not None,
        scope_confirmed_by_payee=row.scope_confirmed_by_payee_at is not None,
        fee_confirmed=row.fee_confirmed_at is not None,
        conflict_check_required=row.conflict_check_required,
        conflict_check_acknowledged=row.conflict_check_acknowledged_at is not None,
        disclaimers_acknowledged=row.disclaimers_acknowledged_at is not None,
    )
