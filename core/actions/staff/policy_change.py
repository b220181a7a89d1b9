"""A change of the rules takes two administrators: one proposes a revised profile, another publishes it.

Projects keep the version that they began with, so a change never touches money in flight. What the linter calls
an error cannot even be proposed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.policy import Platform, Profile, accept, lint
from core.records import PolicyProposal, PolicyVersion
from core.rules.approvals import check_checker
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


class NothingChanges(DeskError):
    """The proposal changes nothing."""


class NotARule(DeskError):
    """“{name}” is not a rule that can be changed."""


class ProposalOpen(DeskError):
    """A change of this profile is proposed already (proposal {proposal}). Settle that one first."""


class ProposalSettled(DeskError):
    """Proposal {proposal} was already {status}."""


class EffectiveInThePast(DeskError):
    """A version cannot take effect in the past."""


class WarningsUnread(DeskError):
    """Read the warnings and confirm that this is meant: {warnings}"""


FIXED = frozenset({"platform", "version"})


def newest(session: Session, platform: Platform | str) -> PolicyVersion:
    """The last published version, in force or still to come."""
    wanted = select(PolicyVersion).where(PolicyVersion.profile == Platform(platform).value)
    wanted = wanted.order_by(PolicyVersion.version.desc()).limit(1)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound(kind="policy profile", id=platform)
    return found


def revised(profile: Profile, changes: Mapping[str, Any]) -> Profile:
    """The next version with these rules changed; values as `Profile` has them. Raises for what is no rule."""
    known = profile.snapshot().keys() - FIXED
    for name in changes:
        if name not in known:
            raise NotARule(name=name)
    real = {name: value for name, value in changes.items() if getattr(profile, name) != value}
    if not real:
        raise NothingChanges()
    return profile.revised(**real)


def propose(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    platform: Platform,
    changes: Mapping[str, Any],
    reason: str,
    effective_at: datetime | None = None,
    seen: Collection[str] = (),
) -> PolicyProposal:
    """Write a proposal down; `seen`: the sentences of the warnings that were read.

    Raises `PolicyContradicts` for a profile with gaps, contradictions or numbers out of bounds, and `WarningsUnread`.
    """
    require(actor, Permission.CHANGE_POLICY)
    reason = given(reason)
    if effective_at is not None and effective_at < now:
        raise EffectiveInThePast()
    base = newest(session, platform)
    before = Profile.from_snapshot(base.snapshot)
    profile = revised(before, changes)
    snapshot = Profile.from_snapshot(profile.snapshot()).snapshot()
    _require_seen(before, profile, seen)
    standing = select(PolicyProposal.id).where(
        PolicyProposal.profile == base.profile, PolicyProposal.status == "PROPOSED"
    )
    if (other := session.scalar(standing)) is not None:
        raise ProposalOpen(proposal=other)
    row = PolicyProposal(
        profile=base.profile,
        based_on=base.id,
        snapshot=snapshot,
        reason=reason,
        effective_at=effective_at,
        proposed_by=actor.id,
        proposed_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, actor, "administrator:policy:propose", row, now=now, reason=reason, base=base.snapshot)
    return row


def approve(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    proposal_id: int,
    note: str = "",
    seen: Collection[str] = (),
) -> PolicyVersion:
    """Another administrator publishes the version: new projects live under it from its time on.

    Raises `MakerIsChecker` for the one who proposed it, `ChangedMeanwhile` if another version came out in between, and
    `WarningsUnread`: both people have read what the linter says.
    """
    require(actor, Permission.APPROVE_POLICY, now)
    row = _open(session, proposal_id)
    check_checker(row.proposed_by, _id(actor))
    base = newest(session, row.profile)
    if base.id != row.based_on:
        raise ChangedMeanwhile(kind="policy", what=f"version {base.version} was published")
    profile = Profile.from_snapshot(row.snapshot)
    _require_seen(Profile.from_snapshot(base.snapshot), profile, seen)
    version = PolicyVersion(
        profile=row.profile,
        version=profile.version,
        snapshot=row.snapshot,
        proposed_by=row.proposed_by,
        approved_by=actor.id,
        effective_at=max(now, row.effective_at or now),
    )
    session.add(version)
    _settle(row, actor, "PUBLISHED", note, now)
    session.flush()
    _note(
        session, actor, "administrator:policy:publish", row, now=now, reason=note or None, base=base.snapshot
    )
    return version


def reject(session: Session, actor: Actor, *, now: datetime, proposal_id: int, note: str) -> None:
    """Another administrator says no and why; whoever proposed it withdraws it the same way."""
    require(actor, Permission.APPROVE_POLICY, now)
    note = given(note)
    row = _open(session, proposal_id)
    _settle(row, actor, "WITHDRAWN" if row.proposed_by == actor.id else "REJECTED", note, now)
    session.flush()
    verb = "withdraw" if row.status == "WITHDRAWN" else "reject"
    _note(session, actor, f"administrator:policy:{verb}", row, now=now, reason=note)


def new_warnings(before: Profile, after: Profile) -> tuple[str, ...]:
    """What the linter warns of that it did not warn of before. Raises `PolicyContradicts` for what it refuses."""
    known = {finding.sentence for finding in lint(before)}
    return tuple(finding.sentence for finding in accept(after) if finding.sentence not in known)


def _require_seen(before: Profile, after: Profile, seen: Collection[str]) -> None:
    if unread := [each for each in new_warnings(before, after) if each not in seen]:
        raise WarningsUnread(warnings=" ".join(unread))


def _settle(row: PolicyProposal, actor: Actor, status: str, note: str, now: datetime) -> None:
    audit.become(row, status, now=now, by=actor)
    row.settled_by, row.settled_at, row.note = actor.id, now, note or None


def _open(session: Session, proposal_id: int) -> PolicyProposal:
    row = session.get(PolicyProposal, proposal_id, with_for_update=True)
    if row is None:
        raise NotFound(kind="proposal", id=proposal_id)
    if row.status != "PROPOSED":
        raise ProposalSettled(proposal=proposal_id, status=row.status.lower())
    return row


def _id(actor: Actor) -> int:
    assert actor.id is not None  # `require` has let only staff pass
    return actor.id


def _note(
    session: Session,
    actor: Actor,
    action: str,
    row: PolicyProposal,
    *,
    now: datetime,
    reason: str | None,
    base: Mapping[str, Any] | None = None,
) -> None:
    """Before and after hold only the rules that change."""
    changed = [name for name in row.snapshot if base is not None and row.snapshot[name] != base.get(name)]
    audit.record(
        session,
        actor,
        action,
        object_kind="policy",
        object_id=row.profile,
        now=now,
        reason=reason,
        before={name: base[name] for name in changed} if base else None,
        after={"proposal": row.id, **{name: row.snapshot[name] for name in changed}},
    )
