"""The exports of a session, as its pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Export
from core.rules.exports import ExportKind


@dataclass(frozen=True)
class ExportView:
    """One export. `begun`: a worker has it in its hands, `again`: because another one stopped; `facts`: what it holds,
    once it is finished."""

    id: int
    name: str
    format: str
    filter: Mapping[str, Any]
    requested_at: datetime
    expires_at: datetime
    begun: bool
    again: bool
    done: int
    total: int
    facts: Mapping[str, Any] | None
    failure: str | None
    fetched_at: datetime | None
    there: bool

    @property
    def under_way(self) -> bool:
        return self.facts is None and self.failure is None

    @property
    def fraction(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


def latest(session: Session, *, session_id: int, kind: ExportKind, now: datetime) -> ExportView | None:
    """The newest of its kind, unless its time is over."""
    row = session.scalar(
        select(Export)
        .where(Export.session_id == session_id, Export.kind == kind)
        .order_by(Export.id.desc())
        .limit(1)
    )
    if row is None or (row.facts is not None and row.expires_at <= now):
        return None
    return ExportView(
        id=row.id,
        name=row.name,
        format=row.format,
        filter=row.filter,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        begun=row.tries > 0,
        again=row.tries > 1,
        done=row.done,
        total=row.total,
        facts=row.facts,
        failure=row.failure,
        fetched_at=row.fetched_at,
        there=row.facts is not None and row.fetched_at is None and row.removed_at is None,
    )
