"""The version of a marketplace's policy that is in force: for new projects, and for what belongs to no project."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from core.errors import NotFound
from core.policy import Profile
from core.records import PolicyVersion

_VERSION = aliased(PolicyVersion)
_NEWEST = (
    select(_VERSION.id)
    .where(_VERSION.profile == bindparam("platform"), _VERSION.effective_at <= bindparam("now"))
    .order_by(_VERSION.version.desc())
    .limit(1)
)
# True of one version of `platform` at `now`, for whoever reads it together with something else.
IS_IN_FORCE = PolicyVersion.id == _NEWEST.scalar_subquery()


def of(session: Session, platform: str, now: datetime) -> tuple[PolicyVersion, Profile]:
    """The version and its profile. Raises `NotFound`."""
    wanted = {"platform": platform, "now": now}
    version = session.scalars(select(PolicyVersion).where(IS_IN_FORCE), wanted).one_or_none()
    if version is None:
        raise NotFound(kind="policy profile", id=platform)
    return version, Profile.from_snapshot(version.snapshot)
