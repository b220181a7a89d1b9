"""An export is asked for by a session, made by the worker, and given out once, to that session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit, jobs
from core.audit.actions import AuditAction
from core.audit_export import a_name
from core.db import one_at_a_time
from core.records import Export
from core.rules.exports import KEPT, ExportGone, ExportKind
from core.rules.permissions import Actor, require


def request(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    kind: ExportKind,
    format: str,
    ending: str,
    filter: Mapping[str, Any],
) -> int:
    """Returns its number. While one of the kind is under way for this session, it is that one: a second press begins
    nothing. Raises `NotPermitted`."""
    require(actor, kind.permission, now)
    assert actor.id is not None
    assert actor.session_id is not None  # somebody at a page
    one_at_a_time(session, f"export {kind.value} of session {actor.session_id}")
    under_way = session.scalar(
        select(Export.id).where(
            Export.session_id == actor.session_id,
            Export.kind == kind,
            Export.finished_at.is_(None),
            Export.failure.is_(None),
        )
    )
    if under_way is not None:
        return under_way
    row = Export(
        kind=kind,
        session_id=actor.session_id,
        staff_id=actor.id,
        name=f"{a_name(kind.value, now)}.{ending}",
        format=format,
        filter=dict(filter),
        requested_at=now,
        next_try_at=now,
        expires_at=now + KEPT,
    )
    session.add(row)
    session.flush()
    _record(session, actor, AuditAction.EXPORT_START, row, now=now, after=asked(row))
    jobs.defer(session, jobs.EXPORT, export_id=row.id)
    return row.id


def take(session: Session, actor: Actor, *, now: datetime, export_id: int) -> Export:
    """From now on it is given out. Raises `NotPermitted`; `ExportGone` for everyone but the session that asked for it,
    the second time, and when its time is over."""
    taken: Export | None = session.scalar(
        update(Export)
        .where(
            Export.id == export_id,
            Export.session_id == actor.session_id,
            Export.finished_at.is_not(None),
            Export.fetched_at.is_(None),
            Export.removed_at.is_(None),
            Export.expires_at > now,
        )
        .values(fetched_at=now)
        .returning(Export)
    )
    if taken is None:
        raise ExportGone()
    require(actor, taken.kind.permission, now)
    sha256 = (taken.facts or {}).get("sha256")
    _record(session, actor, AuditAction.EXPORT_DOWNLOAD, taken, now=now, after={"sha256": sha256})
    return taken


def asked(row: Export) -> dict[str, Any]:
    """What the log says of it at its beginning."""
    return {"format": row.format, "filter": row.filter}


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    row: Export,
    *,
    now: datetime,
    after: Mapping[str, Any],
) -> None:
    audit.record(
        session,
        actor,
        action.by(row.kind.value),
        object_kind="export",
        object_id=row.name,
        now=now,
        after=after,
    )
