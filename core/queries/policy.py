"""Policy: every published version of both profiles, what changed in it, and how many projects live under it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.policy import Platform, PolicyFinding, Profile, lint

VERSIONS = text(
    """
    select v.id, v.snapshot, v.effective_at, proposer.name as proposed_by, approver.name as approved_by,
           coalesce(used.active, 0) as active, coalesce(used.projects, 0) as projects
    from policy_versions v
    left join staff proposer on proposer.id = v.proposed_by
    left join staff approver on approver.id = v.approved_by
    left join (select policy_version_id, count(*) as projects, count(*) filter (where status = 'ACTIVE') as active
               from projects group by policy_version_id) used on used.policy_version_id = v.id
    order by v.profile, v.version desc
    """
)


@dataclass(frozen=True)
class Change:
    """One rule of a version that is not as it was in the version before."""

    name: str
    label: str
    before: Any
    after: Any
    source: str = ""


@dataclass(frozen=True)
class Version:
    """A published version. `projects` live under it, `active` of them unfinished; `changes` is empty for the first."""

    id: int
    profile: Profile
    effective_at: datetime
    proposed_by: str | None
    approved_by: str | None
    active: int
    projects: int
    changes: tuple[Change, ...]

    @property
    def platform(self) -> Platform:
        return self.profile.platform

    @property
    def version(self) -> int:
        return self.profile.version

    @property
    def findings(self) -> list[PolicyFinding]:
        return lint(self.profile)


@dataclass(frozen=True)
class Rule:
    """One line of the table: the rule, and for each marketplace its value and where it comes from."""

    name: str
    label: str
    values: dict[Platform, Any]
    sources: dict[Platform, str]


def versions(session: Session) -> list[Version]:
    """All versions, by profile, the newest first."""
    rows = session.execute(VERSIONS).all()
    profiles = [Profile.from_snapshot(row.snapshot) for row in rows]
    by_number = {(profile.platform, profile.version): profile for profile in profiles}
    return [
        Version(
            id=row.id,
            profile=profile,
            effective_at=row.effective_at,
            proposed_by=row.proposed_by,
            approved_by=row.approved_by,
            active=row.active,
            projects=row.projects,
            changes=changes_between(by_number.get((profile.platform, profile.version - 1)), profile),
        )
        for row, profile in zip(rows, profiles, strict=True)
    ]


def in_force(every: list[Version], *, now: datetime) -> dict[Platform, Version]:
    """What a project that begins now would live under."""
    begun = [each for each in every if each.effective_at <= now]
    return {each.platform: each for each in sorted(begun, key=lambda each: each.version)}


def sources(every: list[Version], profile: Profile) -> dict[str, str]:
    """Where each number of this version comes from: its line of the specification or, once it was changed, who did."""
    found = {name: source for name, _, _, source in profile.lines()}
    own = [each for each in every if each.platform is profile.platform and each.version <= profile.version]
    for version in sorted(own, key=lambda each: each.version):
        who = (
            " and ".join(name for name in (version.proposed_by, version.approved_by) if name) or "the system"
        )
        day = f"{version.effective_at.day} {version.effective_at:%B %Y}"
        for change in version.changes:
            found[change.name] = f"changed by {who}, in force from {day} (version {version.version})"
    return found


def rules(every: list[Version], shown: dict[Platform, Version]) -> list[Rule]:
    """The profiles side by side, in the order of the table of rules."""
    origins = {platform: sources(every, each.profile) for platform, each in shown.items()}
    lines = {platform: {line[0]: line for line in each.profile.lines()} for platform, each in shown.items()}
    names = list(next(iter(lines.values()), {}))
    return [
        Rule(
            name,
            next(iter(lines.values()))[name][1],
            {platform: each[name][2] for platform, each in lines.items()},
            {platform: each[name] for platform, each in origins.items()},
        )
        for name in names
    ]


def changes_between(before: Profile | None, after: Profile) -> tuple[Change, ...]:
    """What is not in `after` as it was in `before`; nothing for a first version."""
    if before is None:
        return ()
    both = zip(before.lines(), after.lines(), strict=True)
    return tuple(
        Change(name, label, old, new, source)
        for (_, _, old, source), (name, label, new, _) in both
        if old != new
    )
