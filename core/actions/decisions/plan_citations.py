"""What a plan cites and is bound to, each pinned to a hash of what it says (payment-escrow-rules, Refund Rules)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.errors import DeskError
from core.records import Case, Evidence, EvidenceView, Message
from core.rules.grounds import Reference
from core.rules.messages import Audience


class CitationUnknown(DeskError):
    """Evidence {evidence} does not belong to this case and cannot be cited."""


@dataclass(frozen=True)
class Piece:
    """A piece of evidence, and when the maker of the plan opened it first."""

    id: int
    sha256: str
    opened_at: datetime | None


def pieces(session: Session, context: MilestoneContext, staff_id: int) -> list[Piece]:
    """Everything that was submitted, in order: a piece more voids the plan."""
    theirs = and_(EvidenceView.evidence_id == Evidence.id, EvidenceView.staff_id == staff_id)
    wanted = (
        select(Evidence.id, Evidence.sha256, EvidenceView.first_at)
        .outerjoin(EvidenceView, theirs)
        .where(Evidence.milestone_id == context.milestone.id)
        .order_by(Evidence.id)
    )
    return [Piece(*row) for row in session.execute(wanted)]


def citations(
    session: Session,
    context: MilestoneContext,
    case: Case,
    *,
    pieces: Iterable[Piece],
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
    return cited + _evidence(pieces, evidence_ids)


def looked(pieces: Collection[Piece], *, until: datetime | None) -> dict[str, int]:
    """How many pieces of evidence there are, and how many their mediator opened: until then, or until now."""
    opened = [each.opened_at for each in pieces if each.opened_at is not None]
    return {"pieces": len(pieces), "opened": sum(until is None or at <= until for at in opened)}


def _messages(session: Session, context: MilestoneContext, until: int | None) -> dict[str, Any]:
    wanted = select(Message.id, Message.body).where(
        Message.milestone_id == context.milestone.id, Message.audience == Audience.PARTIES
    )
    if until is not None:
        wanted = wanted.where(Message.id <= until)
    said = session.execute(wanted.order_by(Message.id)).all()
    return _cite(Reference.MESSAGE_HISTORY, said[-1].id if said else 0, [list(row) for row in said])


def _evidence(pieces: Iterable[Piece], evidence_ids: Collection[int]) -> list[dict[str, Any]]:
    found = {each.id: each.sha256 for each in pieces if each.id in evidence_ids}
    if unknown := sorted(set(evidence_ids) - found.keys()):
        raise CitationUnknown(evidence=unknown[0])
    return [
        {"reference": Reference.MILESTONE_EVIDENCE.value, "id": number, "sha256": found[number]}
        for number in sorted(found)
    ]


def _cite(reference: Reference, number: int, content: Any) -> dict[str, Any]:
    digest = hashlib.sha256(rfc8785.dumps(content)).hexdigest()
    return {"reference": reference.value, "id": number, "sha256": digest}
