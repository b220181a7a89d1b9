"""The first rows of a list with its total, so that a limit is never shown as a count."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

Row = TypeVar("Row")


class Listed(list[Row]):
    """Rows, of which there are `total` in all."""

    def __init__(self, rows: Iterable[Row], total: int) -> None:
        super().__init__(rows)
        self.total = total

    @property
    def note(self) -> str:
        """What a page says below the rows when there are more; else empty."""
        return f"The first {len(self):,} of {self.total:,} are shown." if self.total > len(self) else ""


def total(session: Session, wanted: Select[Any], *, shown: int, limit: int | None) -> int:
    """How many rows there are without the limit; asked only where the limit was reached."""
    if limit is None or shown < limit:
        return shown
    every = wanted.order_by(None).limit(None).subquery()
    return session.scalar(select(func.count()).select_from(every)) or 0
