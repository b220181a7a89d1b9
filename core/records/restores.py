"""A database that came out of a backup, and when it could send to Stripe again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class Restore(Record):
    """This database is as it was at `taken_at`. While one of its restores is not released, nothing is sent to Stripe.

    Added by the owner of the tables, in the transaction that restores. Released by a reconciliation (`run_id`) or by a
    person, with a reason; the log says who.
    """

    __tablename__ = "restores"
    __table_args__ = (
        CheckConstraint("taken_at <= restored_at and restored_at <= released_at", name="in_order"),
        CheckConstraint(
            "case when released_at is null then run_id is null and reason is null "
            "else (run_id is null) <> (reason is null) and reason is distinct from '' end",
            name="released_for_a_reason",
        ),
        Index("restores_open_idx", "id", postgresql_where="released_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    taken_at: Mapped[datetime]
    restored_at: Mapped[datetime]
    restored_by: Mapped[str]
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("reconciliation_runs.id"), default=None)
    reason: Mapped[str | None] = mapped_column(default=None)
