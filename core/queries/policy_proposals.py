"""The signed legal checklist of each marketplace, and the changes of a profile that wait for their second person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.policy import Platform, Profile, lint
from core.queries.policy import Change, Version, changes_between, sources, versions
from core.records import LegalCheck, PolicyProposal, PolicyVersion, Staff
from core.rules.legal_checklist import Item
from core.rules.proposals import ProposalStatus


@dataclass(frozen=True)
class Signature:
    """One item of a marketplace's checklist; the rest is None until compliance has signed it."""

    platform: Platform
    item: Item
    note: str | None = None
    signed_by: str | None = None
    signed_at: datetime | None = None


@dataclass(frozen=True)
class Proposal:
    """A revised profile that waits for another administrator. `warnings`: what the linter says of it and did not say
    before; `stale`: another version was published since, and this one can only be rejected."""

    id: int
    platform: Platform
    version: int
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    stale: bool
    reason: str
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    effective_at: datetime | None


def checklist(session: Session) -> list[Signature]:
    """Every item of every marketplace, signed or not."""
    rows = session.execute(select(LegalCheck, Staff.name).join(Staff, Staff.id == LegalCheck.signed_by))
    signed = {(row.platform, row.item): (row.note, name, row.signed_at) for row, name in rows}
    return [
        Signature(platform, item, *signed.get((platform, item), (None, None, None)))
        for platform in Platform
        for item in Item
    ]


def proposals(session: Session) -> list[Proposal]:
    """Those that are not settled, oldest first."""
    rows = session.execute(
        select(PolicyProposal, PolicyVersion, Staff.name)
        .join(PolicyVersion, PolicyVersion.id == PolicyProposal.based_on)
        .join(Staff, Staff.id == PolicyProposal.proposed_by)
        .where(PolicyProposal.status == ProposalStatus.PROPOSED)
        .order_by(PolicyProposal.id)
    )
    every = versions(session)
    return [_proposal(every, row, base, name) for row, base, name in rows]


def _proposal(every: list[Version], row: PolicyProposal, base: PolicyVersion, name: str) -> Proposal:
    before, after = Profile.from_snapshot(base.snapshot), Profile.from_snapshot(row.snapshot)
    known, origins = {each.sentence for each in lint(before)}, sources(every, before)
    return Proposal(
        id=row.id,
        platform=after.platform,
        version=after.version,
        changes=tuple(replace(each, source=origins[each.name]) for each in changes_between(before, after)),
        warnings=tuple(each.sentence for each in lint(after) if each.sentence not in known),
        stale=any(each.platform is after.platform and each.version >= after.version for each in every),
        reason=row.reason,
        proposed_by_id=row.proposed_by,
        proposed_by=name,
        proposed_at=row.proposed_at,
        effective_at=row.effective_at,
    )
