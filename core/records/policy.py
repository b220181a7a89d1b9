"""Published versions of the policy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class PolicyVersion(Record):
    """A published version of a policy profile. Projects point at one, so a change never touches money in flight."""

    __tablename__ = "policy_versions"
    __table_args__ = (
        UniqueConstraint("profile", "version"),
        CheckConstraint("approved_by is null or approved_by <> proposed_by", name="two_people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[str]
    version: Mapped[int]
    snapshot: Mapped[dict[str, Any]]
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    effective_at: Mapped[datetime]
