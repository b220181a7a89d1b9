"""A backup is made beside its place, read back, and renamed into it. The next one clears what was killed on the way."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text

from core import audit
from core.audit import keys
from core.audit.actions import AuditAction
from core.backup import key_archive, manifest, postgres_tools
from core.backup.manifest import Manifest
from core.backup.postgres_tools import Address
from core.db import Database
from core.desk import Desk
from core.errors import DeskError
from core.gateways.evidence_store import SHA256
from core.gateways.files import create_once, private_folder, replace
from core.rules.permissions import Actor, Permission, require

log = structlog.get_logger(__name__)

DRAFT = ".draft-"
NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
DESCRIBED = text(
    """
    select (select ledger::text from seal_epochs where epoch = 1) as ledger, i.name as desk, i.demo,
           (select version_num from alembic_version) as revision,
           current_setting('server_version_num')::int as postgres,
           (select tableowner from pg_tables where schemaname = 'public' and tablename = 'installation') as owner,
           coalesce((select max(n) from seals), 0) as last_seal
    from installation i
    """
)


class BackupUnderWay(DeskError):
    """Another backup into {folder} is under way. Nothing was done."""


class KeysBesideBackup(DeskError):
    """{file} lies in {folder}, with the database that the keys open. Name a place elsewhere with --keys-to."""


class BackupUnsound(DeskError):
    """The backup was made and is not sound: {wrong}. It was not kept."""


@dataclass(frozen=True)
class BackupMade:
    folder: Path
    manifest: Manifest
    evidence: int
    copied: int
    keys: Path | None
    removed: tuple[str, ...]


def back_up(
    desk: Desk,
    actor: Actor,
    folder: Path,
    *,
    now: datetime,
    keys_to: Path | None = None,
    passphrase: str = "",
    keep: int | None = None,
) -> BackupMade:
    """Make a backup in `folder`, and leave an entry. Raises `BackupUnderWay`, `BackupUnsound`, `KeysBesideBackup`,
    `PassphraseMissing`, `PassphraseShort`, `ToolsTooOld`, `ToolFailed`, `NotPermitted`."""
    require(actor, Permission.BACK_UP)
    _require_apart(folder, keys_to)
    if keys_to is not None:
        key_archive.require_fit(passphrase)
    private_folder(folder)
    at = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    with _alone(folder):
        names = itertools.chain((at,), (f"{at}-{n}" for n in itertools.count(2)))  # of one second
        name = next(each for each in names if not (folder / each).exists())
        draft = private_folder(folder / f"{DRAFT}{name}")
        copied = _fill(desk, draft, folder, now=now)
        if wrong := next(manifest.wrong(draft, home_of_evidence=folder), None):
            shutil.rmtree(draft)
            raise BackupUnsound(wrong=wrong)
        made = Manifest.read(draft)
        if keys_to is not None:
            _write_keys(desk, keys_to, passphrase, made)
        draft.rename(folder / name)
        _sync(folder)
        removed = _forget_old(folder, keep)
    desk.database.run(
        lambda session: audit.record(
            session,
            actor,
            AuditAction.BACKUP_MAKE.by(actor.kind),
            object_kind="backup",
            object_id=name,
            now=now,
            after={
                "manifest": manifest.sha256(folder / name / manifest.MANIFEST),
                "last_seal": made["last_seal"],
                "keys": keys_to is not None,
                "removed": list(removed),
            },
        )
    )
    evidence = manifest.evidence_of(folder / name)
    return BackupMade(folder / name, made, len(evidence), copied, keys_to, removed)


def _require_apart(folder: Path, keys_to: Path | None) -> None:
    if keys_to is not None and keys_to.resolve().is_relative_to(folder.resolve()):
        raise KeysBesideBackup(file=keys_to, folder=folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One backup at a time; what an earlier one left half made is cleared."""
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupUnderWay(folder=folder) from None
        for left in folder.glob(f"{DRAFT}*"):
            shutil.rmtree(left)
        yield


def _fill(desk: Desk, draft: Path, folder: Path, *, now: datetime) -> int:
    """In this order, for the laws of this package; returns how many files of evidence were new."""
    home = desk.settings.home
    for path in sorted((home / "checkpoints").glob("*")):
        if path.suffix in (".jsonl", ".pub") and path.is_file():
            replace(draft / manifest.CHECKPOINTS / path.name, path.read_bytes())
    described = _dump(desk, draft / manifest.DATABASE)
    listed, copied = dict[str, dict[str, Any]](), 0
    for path in sorted((home / "evidence").rglob("*")):
        if SHA256.fullmatch(path.name) and path.is_file():  # the other forms are made again
            copied += _keep(path, path.relative_to(home / "evidence").as_posix(), folder, listed)
    replace(draft / manifest.EVIDENCE_LIST, json.dumps(listed).encode())
    facts = {
        "format": manifest.FORMAT,
        "taken_at": now.astimezone(UTC).isoformat(),
        "version": version("escrow-desk"),
        **described,
        "files": manifest.contents(draft),
    }
    signer = keys.read(keys.path_of(home)) if keys.path_of(home).exists() else None
    manifest.write(draft, facts, signer)
    return copied


def _dump(desk: Desk, path: Path) -> dict[str, Any]:
    """The whole database, as its owner sees it, and what there is to know of it."""
    owner = Database(desk.settings.owner_url, pool_size=1)
    try:
        with owner.reading() as session:
            described = dict(session.execute(DESCRIBED).one()._mapping)
    finally:
        owner.dispose()
    address = Address.of(desk.settings.owner_url)
    path.touch(mode=0o600)
    postgres_tools.tools(described["postgres"]).run(
        "pg_dump", "--format=custom", "--no-password", "--file", path.resolve(), "--dbname", address.dsn,
        environment=address.environment,
    )  # fmt: skip
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return described


def _keep(path: Path, name: str, folder: Path, listed: dict[str, dict[str, Any]]) -> bool:
    """Whether the shared files lacked it. Whoever was erased meanwhile has none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    digest = hashlib.sha256(content).hexdigest()
    listed[name] = {"sha256": digest, "size": len(content)}
    target = manifest.shared(folder, digest)
    if target.exists() and target.stat().st_size == len(content):
        return False
    replace(target, content)
    return True


def _write_keys(desk: Desk, path: Path, passphrase: str, made: Manifest) -> None:
    """Last: every file of evidence has its key there. Read back before it counts."""
    content = key_archive.sealed(desk.settings.home, passphrase, ledger=made["ledger"], at=made.taken_at)
    if not create_once(path, content):
        raise FileExistsError(17, "the file exists already", str(path))
    key_archive.opened(path, passphrase)


def _forget_old(folder: Path, keep: int | None) -> tuple[str, ...]:
    """All but the newest `keep`, and the shared files that none of those names."""
    if keep is None:
        return ()
    whole = sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name))
    old, kept = whole[: -max(keep, 1)], whole[-max(keep, 1) :]
    if not old:
        return ()
    for name in old:
        aside = folder / f"{DRAFT}{name}"
        (folder / name).rename(aside)  # so that one that is half removed is no backup
        shutil.rmtree(aside)
    wanted = {one["sha256"] for name in kept for one in manifest.evidence_of(folder / name).values()}
    for path in (folder / manifest.EVIDENCE).glob("*/*"):
        if path.name not in wanted:
            path.unlink()
    return tuple(old)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
