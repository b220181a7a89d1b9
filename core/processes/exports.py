"""Exports are made here, by the worker: claimed by a lease, so that what a killed worker leaves is gone on with, or
made again where its format does not allow that.

A file appears whole or not at all under `ESCROW_DESK_HOME/exports`, for the desk's own account only, and is removed
once it was given out, when its time is over, or when the session that asked for it has ended.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import audit, audit_export, ledger_export
from core.actions.exports import requests
from core.audit.actions import AuditAction
from core.audit.export_manifest import Format
from core.audit.filters import AuditFilter
from core.audit_export import Progress
from core.desk import Desk
from core.gateways.files import disk_needed
from core.gateways.resumed_file import EarlierTry, Trail, begun
from core.ledger_export import LedgerFilter, LedgerFormat
from core.processes import leases
from core.records import Export, Staff, StaffRole, StaffSession
from core.rules.exports import (
    KEPT,
    LEASE,
    RESUMED,
    TRIES,
    ExportGivenUp,
    ExportGone,
    ExportKind,
    ExportStopped,
)
from core.rules.permissions import Actor, Role, require

SAID_EVERY = 0.5  # seconds between two words of progress
PIECE = 1 << 20


@dataclass(frozen=True)
class Made:
    """`facts` for the page, `entry` for the log, and the manifest that goes beside the file, if there is one."""

    facts: Mapping[str, Any]
    entry: Mapping[str, Any]
    manifest: bytes | None = None


def sweep(desk: Desk) -> int:
    """Make what waits or was left behind, and remove what nobody may take any more; how many were made."""
    _remove(desk)
    waiting = select(Export.id).where(
        Export.finished_at.is_(None), Export.failure.is_(None), Export.next_try_at <= desk.clock()
    )
    return leases.each_due(desk, waiting.order_by(Export.id), make)


def make(desk: Desk, export_id: int) -> None:
    """Nothing, where another worker has it."""
    claimed = desk.database.run(lambda session: _claim(session, export_id, now=desk.clock()))
    if claimed is not None:
        leases.alone(
            desk,
            export_id,
            lambda desk, _: _make(desk, claimed),
            failed=lambda desk, _, problem: _failed(desk, claimed, problem),
        )


def hand_out(desk: Desk, actor: Actor, *, now: datetime, export_id: int, out: IO[bytes]) -> None:
    """The file, to the session that asked for it, once. Raises `ExportGone`, `NotPermitted`."""
    path = _path(desk, export_id)
    try:
        with path.open("rb") as file:
            desk.database.run(lambda session: requests.take(session, actor, now=now, export_id=export_id))
            while piece := file.read(PIECE):
                out.write(piece)
    except FileNotFoundError:
        raise ExportGone() from None
    path.unlink(missing_ok=True)


def manifest(desk: Desk, actor: Actor, *, now: datetime, export_id: int) -> bytes:
    """The manifest beside it, as long as it would be there itself. Raises `ExportGone`, `NotPermitted`."""
    with desk.database.reading() as session:
        row = session.get(Export, export_id)
        if row is None or row.session_id != actor.session_id or row.expires_at <= now:
            raise ExportGone()
        require(actor, row.kind.permission, now)
    try:
        return _manifest_path(desk, export_id).read_bytes()
    except FileNotFoundError:
        raise ExportGone() from None


def _claim(session: Session, export_id: int, *, now: datetime) -> Export | None:
    row = session.scalar(
        select(Export)
        .where(
            Export.id == export_id,
            Export.finished_at.is_(None),
            Export.failure.is_(None),
            Export.next_try_at <= now,
        )
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    if row.tries >= TRIES:
        row.failure = ExportGivenUp(tries=row.tries).message
        return None
    row.tries += 1
    row.next_try_at = now + LEASE
    return row


def _make(desk: Desk, row: Export) -> None:
    actor = _owner(desk, row)
    part = _folder(desk) / f"{row.id}.{row.tries}.part"
    earlier = _left_behind(desk, row)
    try:
        with disk_needed():
            opened = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(opened, "w+b") as file, _lease_kept(desk, row):
                trail = Trail(part, file, earlier)
                made = WRITERS[row.kind](desk, row, file, _progress(desk, row, trail), trail)
                file.flush()
                os.fsync(file.fileno())
            how = {"tries": row.tries, "went_on": earlier is not None} if row.tries > 1 else {}
            desk.database.run(lambda session: _finish(session, desk, actor, row, made, part, how))
            _clear(desk, row.id)
    finally:
        part.unlink(missing_ok=True)
        begun(part).unlink(missing_ok=True)


def _left_behind(desk: Desk, row: Export) -> EarlierTry | None:
    """What a worker that died left, where this format goes on with it; it stays until this try has ended."""
    parts = _folder(desk).glob(f"{row.id}.*.part") if row.format in RESUMED else ()
    found = [each for each in map(EarlierTry.of, parts) if each]
    return max(found, key=lambda each: each.size, default=None)


def _clear(desk: Desk, export_id: int) -> None:
    """Nothing is left of any try."""
    for left in _folder(desk).glob(f"{export_id}.*.part*"):
        left.unlink(missing_ok=True)


def _mine(row: Export) -> tuple[ColumnElement[bool], ...]:
    """Whether it is still this worker's: nobody has taken it over, and it has not ended."""
    return (
        Export.id == row.id,
        Export.tries == row.tries,
        Export.finished_at.is_(None),
        Export.failure.is_(None),
    )


def _finish(
    session: Session,
    desk: Desk,
    actor: Actor,
    row: Export,
    made: Made,
    part: Path,
    how: Mapping[str, Any],
) -> None:
    """Unless another worker took it over meanwhile, whose file it is then. It is there no longer than the sign-in."""
    now = desk.clock()
    ends = select(StaffSession.expires_at).where(StaffSession.id == row.session_id).scalar_subquery()
    finished = session.scalar(
        update(Export)
        .where(*_mine(row))
        .values(
            finished_at=now, facts=dict(made.facts), expires_at=func.least(now + KEPT, ends),
            done=made.facts["rows"], total=made.facts["rows"],
        )
        .returning(Export.id)
    )  # fmt: skip
    if finished is not None:
        with suppress(FileNotFoundError):  # this is the same transaction again, and it is in its place
            part.replace(_path(desk, row.id))
        if made.manifest is not None:
            note = os.open(_manifest_path(desk, row.id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(note, "wb") as file:
                file.write(made.manifest)
        action = AuditAction.EXPORT_FINISH.by(row.kind.value)
        after = requests.asked(row) | dict(made.entry) | dict(how)
        audit.record(session, actor, action, object_kind="export", object_id=row.name, now=now, after=after)


def _failed(desk: Desk, row: Export, problem: Exception) -> None:
    failed = update(Export).where(*_mine(row)).values(failure=leases.why(problem))
    desk.database.run(lambda session: session.execute(failed))


def _owner(desk: Desk, row: Export) -> Actor:
    """Whoever asked for it, with what they may do now. Raises `ExportStopped`, `NotPermitted`."""
    with desk.database.reading() as session:
        alive = session.scalar(select(StaffSession.id).where(StaffSession.id == row.session_id, _alive(desk)))
        if alive is None:
            raise ExportStopped()
        roles = session.scalars(select(StaffRole.role).where(StaffRole.staff_id == row.staff_id))
        actor = Actor("staff", row.staff_id, frozenset(map(Role, roles)), session_id=row.session_id)
    require(actor, row.kind.permission)
    return actor


def _alive(desk: Desk) -> Any:
    """Sessions that have not ended. Inactivity alone ends no export: somebody waits for it."""
    active = select(Staff.id).where(Staff.active.is_(True))
    return (
        StaffSession.revoked_at.is_(None)
        & (StaffSession.expires_at > desk.clock())
        & StaffSession.staff_id.in_(active)
    )


def _progress(desk: Desk, row: Export, trail: Trail) -> Progress:
    """Says how far it is, and keeps that for another try."""
    said = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal said
        trail.keep()
        if time.monotonic() - said < SAID_EVERY:
            return
        said = time.monotonic()
        told = update(Export).where(*_mine(row)).values(done=done, total=total)
        desk.database.run(lambda session: session.execute(told))

    return progress


@contextmanager
def _lease_kept(desk: Desk, row: Export, *, every: float = LEASE.total_seconds() / 3) -> Iterator[None]:
    """Says that this worker lives, as long as it does: also while it counts, hashes or closes a workbook, when there is
    no progress to tell. A lease that another worker has is left to it."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(every):
            with suppress(SQLAlchemyError):  # the next time, or another worker makes it
                longer = update(Export).where(*_mine(row)).values(next_try_at=desk.clock() + LEASE)
                desk.database.run(lambda session, longer=longer: session.execute(longer))  # type: ignore[misc]

    thread = threading.Thread(target=renew, name=f"export-{row.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _audit(desk: Desk, row: Export, file: IO[bytes], progress: Progress, trail: Trail) -> Made:
    home, format = desk.settings.home, Format(row.format)
    made = audit_export.make(
        desk.auditor,
        AuditFilter.of(row.filter),
        format,
        file,
        name=row.name.removesuffix(f".{format.ending}"),
        now=desk.clock(),
        signer=audit.desk_signer(desk.database, home, now=desk.clock()),
        folder=home / "checkpoints",
        progress=progress,
        trail=trail,
    )
    told = made.manifest
    facts = {
        name: getattr(told, name)
        for name in ("rows", "seal", "first_id", "last_id", "not_sealed", "exported_at")
    }
    facts |= {"sha256": made.sha256, "key": made.fingerprint}
    return Made(facts, audit_export.finished(made), None if format is Format.BUNDLE else told.json())


def _ledger(desk: Desk, row: Export, file: IO[bytes], progress: Progress, trail: Trail) -> Made:
    wanted, format = LedgerFilter.of(row.filter), LedgerFormat(row.format)
    rows = desk.reports.run(
        lambda session: ledger_export.write(session, wanted, format, file, progress, trail)
    )
    file.seek(0)
    facts = {"rows": rows, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}  # type: ignore[arg-type]
    return Made(facts, facts)


WRITERS: Mapping[ExportKind, Callable[[Desk, Export, IO[bytes], Progress, Trail], Made]] = {
    ExportKind.AUDIT: _audit,
    ExportKind.LEDGER: _ledger,
}


def _remove(desk: Desk) -> None:
    """Files that were given out, whose time is over, or whose session has ended."""
    with desk.database.reading() as session:
        alive = select(StaffSession.id).where(_alive(desk))
        ended = session.scalars(
            select(Export.id).where(
                Export.removed_at.is_(None),
                or_(Export.finished_at.is_not(None), Export.failure.is_not(None)),
                or_(Export.expires_at <= desk.clock(), Export.session_id.not_in(alive)),
            )
        ).all()
    for export_id in ended:
        _path(desk, export_id).unlink(missing_ok=True)
        _manifest_path(desk, export_id).unlink(missing_ok=True)
        _clear(desk, export_id)
        _removed(desk, export_id)


def _removed(desk: Desk, export_id: int) -> None:
    removed = update(Export).where(Export.id == export_id, Export.removed_at.is_(None))
    desk.database.run(lambda session: session.execute(removed.values(removed_at=desk.clock())))


def _folder(desk: Desk) -> Path:
    folder = desk.settings.home / "exports"
    with disk_needed():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _path(desk: Desk, export_id: int) -> Path:
    return _folder(desk) / str(export_id)


def _manifest_path(desk: Desk, export_id: int) -> Path:
    return _folder(desk) / f"{export_id}.manifest.json"
