"""The signed legal checklist of each platform, and the changes of a profile that wait for their second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.policy import Platform, Profile
from core.queries.policy import Change, changes_between
from core.records import LegalCheck, PolicyProposal, PolicyVersion, Staff
from core.rules.legal_checklist import Item


@dataclass(frozen=True)
class Signature:
    """One item of a platform's checklist; the rest is None until compliance has signed it."""

    platform: Platform
    item: Item
    note: str | None = None
    signed_by: str | None = None
    signed_at: datetime | None = None


@dataclass(frozen=True)
class Proposal:
    """A revised profile that waits for another administrator."""

    id: int
    platform: Platform
    version: int
    changes: tuple[Change, ...]
    reason: str
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    effective_at: datetime | None


def checklist(session: Session) -> list[Signature]:
    """Every item of every platform, signed or not."""
    rows = session.execute(select(LegalCheck, Staff.name).join(Staff, Staff.id == LegalCheck.signed_by))
    signed = {(row.platform, row.item): (row.note, name, row.signed_at) for row, name in rows}
    return [
        Signature(platform, item, *signed.get((platform.value, item.value), (None, None, None)))
        for platform in Platform
        for item in Item
    ]


def proposals(session: Session) -> list[Proposal]:
    """Those that are not settled, oldest first."""
    rows = session.execute(
        select(PolicyProposal, PolicyVersion, Staff.name)
        .join(PolicyVersion, PolicyVersion.id == PolicyProposal.based_on)
        .join(Staff, Staff.id == PolicyProposal.proposed_by)
        .where(PolicyProposal.status == "PROPOSED")
        .order_by(PolicyProposal.id)
    )
    return [_proposal(row, base, name) for row, base, name in rows]


def _proposal(row: PolicyProposal, base: PolicyVersion, name: str) -> Proposal:
    after = Profile.from_snapshot(row.snapshot)
    return Proposal(
        id=row.id,
        platform=after.platform,
        version=after.version,
        changes=changes_between(Profile.from_snapshot(base.snapshot), after),
        reason=row.reason,
        proposed_by_id=row.proposed_by,
        proposed_by=name,
        proposed_at=row.proposed_at,
        effective_at=row.effective_at,
    )
