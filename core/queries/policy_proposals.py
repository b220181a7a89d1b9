"""The signed legal checklist of each marketplace, and the changes of a profile that wait for their second person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.policy import Platform, Profile, lint
from core.queries.policy import Change, Version, changes_between, sources, versions
from core.records import LegalSignature, PolicyProposal, PolicyVersion, Staff
from core.rules.legal_checklist import EVERYWHERE, Item, Signed, missing
from core.rules.proposals import ProposalStatus
from core.rules.refusal_reasons import Block


@dataclass(frozen=True)
class Signature:
    """One signature of a marketplace's checklist; `standing` says whether it counts now, or why not."""

    id: int
    platform: Platform
    item: Item
    jurisdiction: str
    note: str
    document_name: str | None
    document_sha256: str | None
    signed_by: str
    signed_at: datetime
    valid_until: date | None
    review_on: date | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    standing: str

    @property
    def newest(self) -> bool:
        return self.standing != REPLACED

    @property
    def signed(self) -> Signed:
        return Signed(
            self.id, self.item, self.jurisdiction, self.valid_until, withdrawn=self.withdrawn_at is not None
        )


COUNTS, REPLACED = "Counts", "Replaced"


@dataclass(frozen=True)
class Proposal:
    """A revised profile that waits for another administrator. `warnings`: what the linter says of it and did not say
    before; `stale`: another version was published since, and this one can only be rejected."""

    id: int
    profile: Profile
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    stale: bool
    reason: str
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    effective_at: datetime | None

    @property
    def platform(self) -> Platform:
        return self.profile.platform

    @property
    def version(self) -> int:
        return self.profile.version


def checklist(session: Session, *, today: date) -> list[Signature]:
    """Every signature of every marketplace, the newest first."""
    withdrew = aliased(Staff)
    rows = session.execute(
        select(LegalSignature, Staff.name, withdrew.name)
        .join(Staff, Staff.id == LegalSignature.signed_by)
        .outerjoin(withdrew, withdrew.id == LegalSignature.withdrawn_by)
        .order_by(LegalSignature.id.desc())
    ).all()
    newest: set[tuple[str, str, str]] = set()
    found = []
    for row, signed_by, withdrawn_by in rows:
        place = (row.platform, row.item, row.jurisdiction)
        known = Signed(row.id, row.item, row.jurisdiction, row.valid_until, row.withdrawn_at is not None)
        standing = REPLACED if place in newest else known.why_not(today) or COUNTS
        newest.add(place)
        found.append(_signature(row, signed_by, withdrawn_by, standing))
    return found


def switched_off(signatures: Sequence[Signature], *, today: date) -> dict[str, tuple[Block, ...]]:
    """What keeps payments off, by jurisdiction: every one, and each country that has signatures of its own.
    `signatures`: those of one marketplace."""
    known = [each.signed for each in signatures]
    places = dict.fromkeys([EVERYWHERE, *sorted({each.jurisdiction for each in known})])
    return {place: missing(known, today=today, jurisdictions=[place]) for place in places}


def _signature(row: LegalSignature, signed_by: str, withdrawn_by: str | None, standing: str) -> Signature:
    return Signature(
        row.id, row.platform, row.item, row.jurisdiction, row.note, row.document_name, row.document_sha256,
        signed_by, row.signed_at, row.valid_until, row.review_on, withdrawn_by, row.withdrawn_at,
        row.withdrawal_reason, standing,
    )  # fmt: skip


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
        profile=after,
        changes=tuple(replace(each, source=origins[each.name]) for each in changes_between(before, after)),
        warnings=tuple(each.sentence for each in lint(after) if each.sentence not in known),
        stale=any(each.platform is after.platform and each.version >= after.version for each in every),
        reason=row.reason,
        proposed_by_id=row.proposed_by,
        proposed_by=name,
        proposed_at=row.proposed_at,
        effective_at=row.effective_at,
    )
