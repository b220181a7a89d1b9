"""The version of a marketplace's policy that is in force: for new projects, and for what belongs to no project."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.policy import Profile
from core.records import PolicyVersion


def of(session: Session, platform: str, now: datetime) -> tuple[PolicyVersion, Profile]:
    """The version and its profile. Raises `NotFound`."""
    version = session.scalars(
        select(PolicyVersion)
        .where(PolicyVersion.profile == platform, PolicyVersion.effective_at <= now)
        .order_by(PolicyVersion.version.desc())
        .limit(1)
    ).one_or_none()
    if version is None:
        raise NotFound(kind="policy profile", id=platform)
    return version, Profile.from_snapshot(version.snapshot)
