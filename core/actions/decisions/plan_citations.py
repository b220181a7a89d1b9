"""What a plan cites and is bound to, each pinned to a hash of what it says (payment-escrow-rules, Refund Rules)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.errors import DeskError
from core.records import Case, Evidence, EvidenceView, Message
from core.rules.grounds import Reference
from core.rules.messages import Audience


class CitationUnknown(DeskError):
    """Evidence {evidence} does not belong to this case and cannot be cited."""


def evidence_hashes(session: Session, context: MilestoneContext) -> list[str]:
    """Of everything that was submitted, in order: a piece more voids the plan."""
    wanted = (
        select(Evidence.sha256).where(Evidence.milestone_id == context.milestone.id).order_by(Evidence.id)
    )
    return list(session.scalars(wanted))


def citations(
    session: Session,
    context: MilestoneContext,
    case: Case,
    *,
    reasons: str,
    evidence_ids: Collection[int],
    said_until: int | None,
) -> list[dict[str, Any]]:
    """All four references, each pinned to a hash; what was agreed stands for the work where no evidence is cited. The
    messages are those up to number `said_until`, else all: what is written later does not change what was read."""
    cited = [
        _cite(Reference.RESOLUTION_NOTES, case.id, reasons),
        _cite(Reference.ENGAGEMENT_SCOPE, context.project.id, context.project.scope),
        _messages(session, context, said_until),
    ]
    if not evidence_ids:
        cited.append(_cite(Reference.MILESTONE_EVIDENCE, context.milestone.id, context.milestone.deliverable))
    return cited + _evidence(session, context, evidence_ids)


def looked(
    session: Session, context: MilestoneContext, staff_id: int, *, until: datetime | None
) -> dict[str, int]:
    """How many pieces of evidence there are, and how many this mediator opened: until then, or until now."""
    pieces = select(Evidence.id).where(Evidence.milestone_id == context.milestone.id)
    opened = select(func.count()).where(
        EvidenceView.evidence_id.in_(pieces), EvidenceView.staff_id == staff_id
    )
    if until is not None:
        opened = opened.where(EvidenceView.first_at <= until)
    count = select(func.count()).select_from(pieces.subquery()).scalar_subquery()
    row = session.execute(select(count, opened.scalar_subquery())).one()
    return {"pieces": row[0], "opened": row[1]}


def _messages(session: Session, context: MilestoneContext, until: int | None) -> dict[str, Any]:
    wanted = select(Message.id, Message.body).where(
        Message.milestone_id == context.milestone.id, Message.audience == Audience.PARTIES
    )
    if until is not None:
        wanted = wanted.where(Message.id <= until)
    said = session.execute(wanted.order_by(Message.id)).all()
    return _cite(Reference.MESSAGE_HISTORY, said[-1].id if said else 0, [list(row) for row in said])


def _evidence(
    session: Session, context: MilestoneContext, evidence_ids: Collection[int]
) -> list[dict[str, Any]]:
    wanted = select(Evidence.id, Evidence.sha256).where(
        Evidence.milestone_id == context.milestone.id, Evidence.id.in_(evidence_ids)
    )
    found = {row.id: row.sha256 for row in session.execute(wanted)}
    if unknown := sorted(set(evidence_ids) - found.keys()):
        raise CitationUnknown(evidence=unknown[0])
    return [
        {"reference": Reference.MILESTONE_EVIDENCE.value, "id": number, "sha256": found[number]}
        for number in sorted(found)
    ]


def _cite(reference: Reference, number: int, content: Any) -> dict[str, Any]:
    digest = hashlib.sha256(rfc8785.dumps(content)).hexdigest()
    return {"reference": reference.value, "id": number, "sha256": digest}
