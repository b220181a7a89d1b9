"""A change of the rules takes two administrators: one proposes a revised profile, another publishes it.

Projects keep the version that they began with, so a change never touches money in flight; retention goes by the version
in force (`core.policy.reach`). What the linter calls
an error cannot even be proposed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.staff import proposals
from core.actions.staff.proposals import Waiting
from core.audit.actions import AuditAction, StoredAction
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.policy import Platform, Profile, accept, lint
from core.records import PolicyProposal, PolicyVersion
from core.rules.permissions import SYSTEM, Actor, Permission, require
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given


class PolicyUnchanged(DeskError):
    """The proposal changes nothing."""


class NotARule(DeskError):
    """“{name}” is not a rule that can be changed."""


class EffectiveInThePast(DeskError):
    """A version cannot take effect in the past."""


class WarningsUnread(DeskError):
    """Read the warnings and confirm that this is meant: {warnings}"""


FIXED = frozenset({"platform", "version"})


def newest(session: Session, platform: Platform | str) -> PolicyVersion:
    """The last published version, in force or still to come. Raises `NotFound`."""
    wanted = select(PolicyVersion).where(PolicyVersion.profile == Platform(platform).value)
    wanted = wanted.order_by(PolicyVersion.version.desc()).limit(1)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound(kind="policy profile", id=platform)
    return found


def revised(profile: Profile, changes: Mapping[str, Any]) -> Profile:
    """The next version with these rules changed; values as `Profile` has them. Raises `NotARule` and
    `NothingChanges`."""
    known = profile.snapshot().keys() - FIXED
    for name in changes:
        if name not in known:
            raise NotARule(name=name)
    real = {name: value for name, value in changes.items() if getattr(profile, name) != value}
    if not real:
        raise PolicyUnchanged()
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

    Raises `EffectiveInThePast`, `PolicyContradicts` for a profile with gaps, contradictions or numbers out of bounds,
    `WarningsUnread`, and `ProposalWaits`.
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
    waits = select(PolicyProposal).where(
        PolicyProposal.profile == base.profile, PolicyProposal.status == ProposalStatus.PROPOSED
    )
    if (other := session.scalar(waits)) is not None:
        what = f"another change of this profile (proposal {other.id})"
        raise proposals.waits(session, maker_id=other.proposed_by, made_at=other.proposed_at, what=what)
    row = PolicyProposal(
        profile=base.profile,
        based_on=base.id,
        snapshot=snapshot,
        reason=reason,
        effective_at=effective_at,
        proposed_by=proposals.require_maker(session, actor),
        proposed_at=now,
    )
    session.add(row)
    session.flush()
    _note(
        session,
        actor,
        AuditAction.POLICY_PROPOSE.by("administrator"),
        row,
        now=now,
        reason=reason,
        base=base.snapshot,
    )
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
    """Another administrator publishes the version: from its time on it is in force (`core.policy.reach` says for whom).

    Raises what `proposals.require_checker` does, `ProposalEnded`, `ChangedMeanwhile` if another version came out in
    between, and `WarningsUnread`: both people have read what the linter says.
    """
    require(actor, Permission.APPROVE_POLICY, now)
    row = _open(session, proposal_id)
    proposals.require_checker(session, actor, waiting(row), now=now)
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
    proposals.settle(row, ProposalStatus.PUBLISHED, actor, now=now)
    row.note = note or None
    session.flush()
    _note(
        session,
        actor,
        AuditAction.POLICY_PUBLISH.by("administrator"),
        row,
        now=now,
        reason=note or None,
        base=base.snapshot,
    )
    return version


def reject(session: Session, actor: Actor, *, now: datetime, proposal_id: int, note: str) -> None:
    """Another administrator says no and why; whoever proposed it withdraws it the same way."""
    require(actor, Permission.APPROVE_POLICY, now)
    note = given(note)
    row = _open(session, proposal_id)
    _end(session, actor, row, proposals.outcome(actor, row.proposed_by), note=note, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """The proposals that nobody can publish any more. Locks and writes nothing."""
    wanted = (
        select(PolicyProposal)
        .where(PolicyProposal.status == ProposalStatus.PROPOSED)
        .order_by(PolicyProposal.id)
    )
    return [each.id for each in session.scalars(wanted) if fallen(session, each, now=now)]


def fallen(session: Session, row: PolicyProposal, *, now: datetime) -> str | None:
    """Why the proposal can no longer be published: its maker, its age, or a newer version; None while it can."""
    base = newest(session, row.profile)
    if base.id != row.based_on:
        return f"Version {base.version} was published since."
    return proposals.flaw(session, waiting(row), now=now)


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """Return a proposal that can no longer be published to its maker, with the reason. Returns whether it was."""
    row = _open(session, number)
    why = fallen(session, row, now=now)
    if why is None:
        return False
    _end(session, SYSTEM, row, ProposalStatus.RETURNED, note=why, now=now)
    about = ("policy_proposal", row.id)
    proposals.tell_returned(
        session, waiting(row), what=f"policy change {row.id}", why=why, about=about, now=now
    )
    return True


VERBS = {
    ProposalStatus.WITHDRAWN: AuditAction.POLICY_WITHDRAW.by("administrator"),
    ProposalStatus.REJECTED: AuditAction.POLICY_REJECT.by("administrator"),
    ProposalStatus.RETURNED: AuditAction.POLICY_RETURN.by("system"),
}


def _end(
    session: Session, actor: Actor, row: PolicyProposal, status: ProposalStatus, *, note: str, now: datetime
) -> None:
    proposals.settle(row, status, actor, now=now)
    row.note = note
    session.flush()
    _note(session, actor, VERBS[status], row, now=now, reason=note)


def waiting_of(session: Session, proposal_id: int) -> Waiting:
    """The proposal as it waits, for pages."""
    return waiting(session.get_one(PolicyProposal, proposal_id))


def waiting(row: PolicyProposal) -> Waiting:
    """The proposal as what waits for a second person."""
    return Waiting(ProposalKind.POLICY_CHANGE, row.proposed_by, row.proposed_at)


def new_warnings(before: Profile, after: Profile) -> tuple[str, ...]:
    """What the linter warns of that it did not warn of before. Raises `PolicyContradicts` for what it refuses."""
    known = {finding.sentence for finding in lint(before)}
    return tuple(finding.sentence for finding in accept(after) if finding.sentence not in known)


def _require_seen(before: Profile, after: Profile, seen: Collection[str]) -> None:
    if unread := [each for each in new_warnings(before, after) if each not in seen]:
        raise WarningsUnread(warnings=" ".join(unread))


def _open(session: Session, proposal_id: int) -> PolicyProposal:
    row = session.get(PolicyProposal, proposal_id, with_for_update=True)
    if row is None:
        raise NotFound(kind="proposal", id=proposal_id)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.POLICY_CHANGE, row.status)
    return row


def _note(
    session: Session,
    actor: Actor,
    action: StoredAction,
    row: PolicyProposal,
    *,
    now: datetime,
    reason: str | None,
    base: Mapping[str, Any] | None = None,
) -> None:
    """Before and after hold only the rules that change."""
    base = Profile.from_snapshot(base).snapshot() if base is not None else None
    changed = [name for name in row.snapshot if base is not None and row.snapshot[name] != base[name]]
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
