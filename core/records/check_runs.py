"""Runs of every check: what was found, part by part."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.check_runs import CheckPart


class CheckRun(Record):
    """One run: under way, then finished or given up. Nobody asked for those of the night.

    `next_try_at` is the end of a worker's lease; `part`, `done` and `total` say how far it is. `results` has what came
    of each part that has ended (`core.rules.check_runs.PartResult`), and of case files the last that was looked at, so
    that another worker goes on from there. `books_only`: of the first part alone; one such run may be under way beside
    one of everything.
    """

    __tablename__ = "check_runs"
    __table_args__ = (
        one_of("part", CheckPart),
        CheckConstraint("finished_at is null or failure is null", name="one_end"),
        CheckConstraint("done >= 0 and total >= 0 and tries >= 0", name="counts"),
        Index(
            "check_runs_one_under_way_idx",
            "books_only",
            unique=True,
            postgresql_where="finished_at is null and failure is null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    books_only: Mapped[bool] = mapped_column(default=False)
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    started_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    part: Mapped[CheckPart | None] = mapped_column(default=None)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)
    failure: Mapped[str | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
