"""What a backup is, in one signed file, and whether what lies beside it is that."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785

from core.audit.keys import PublicKey, Signer
from core.backup import postgres_tools
from core.embedded_postgres.errors import ToolFailed
from core.errors import DeskError
from core.gateways.files import replace

FORMAT = "escrow-desk backup 1"
MANIFEST, DATABASE, EVIDENCE_LIST, CHECKPOINTS = (
    "manifest.json",
    "database.dump",
    "evidence.json",
    "checkpoints",
)
EVIDENCE = "evidence"  # beside the backups, shared by all of them
SIGNED_AS = b"escrow-desk backup 1\n"
EVIDENCE_NAME = re.compile(r"\d+/[0-9a-f]{2}/[0-9a-f]{64}")


class NoBackup(DeskError):
    """{folder} is no backup of a desk: {why}."""


@dataclass(frozen=True)
class Manifest:
    """`files`: SHA-256 and size of each file of the backup; `evidence.json` among them lists the shared ones."""

    facts: Mapping[str, Any]
    key: PublicKey | None
    signed: bool

    @property
    def taken_at(self) -> datetime:
        return datetime.fromisoformat(self.facts["taken_at"])

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises `NoBackup`."""
        try:
            whole = json.loads((folder / MANIFEST).read_bytes())
            facts, key, signature = whole["manifest"], whole["key"], whole["signature"]
            known = facts["format"] == FORMAT and isinstance(facts["files"], dict)
            public = PublicKey.of(bytes.fromhex(key)) if key else None
            signed = bool(
                public and public.signed(SIGNED_AS + rfc8785.dumps(facts), bytes.fromhex(signature))
            )
        except FileNotFoundError:
            raise NoBackup(folder=folder, why=f"it has no {MANIFEST}") from None
        except (ValueError, TypeError, KeyError, OSError):
            raise NoBackup(folder=folder, why=f"its {MANIFEST} cannot be read") from None
        if not known:
            raise NoBackup(folder=folder, why="it has another format")
        return cls(facts, public, signed)


def write(folder: Path, facts: Mapping[str, Any], signer: Signer | None) -> None:
    signature = signer.sign(SIGNED_AS + rfc8785.dumps(dict(facts))).hex() if signer else None
    whole = {"manifest": facts, "key": signer.public.raw.hex() if signer else None, "signature": signature}
    replace(folder / MANIFEST, json.dumps(whole, indent=1).encode() + b"\n")


def named(path: Path) -> dict[str, Any]:
    return {"sha256": sha256(path), "size": path.stat().st_size}


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    """Every file of a backup but the manifest."""
    return {name: named(folder / name) for name in _names(folder)}


def _names(folder: Path) -> list[str]:
    paths = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return [name for name in paths if name != MANIFEST]


def evidence_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Where each file of evidence belongs under the home, and which of the shared files it is."""
    listed: dict[str, dict[str, Any]] = json.loads((folder / EVIDENCE_LIST).read_bytes())
    return listed


def shared(folder: Path, digest: str) -> Path:
    return folder / EVIDENCE / digest[:2] / digest


def wrong(folder: Path, *, home_of_evidence: Path | None = None) -> Iterator[str]:
    """What is not as the manifest says, one sentence each; nothing where the backup is whole. Everything is read.

    `home_of_evidence`: the folder of backups, where it is not the one that `folder` lies in. Raises `NoBackup`.
    """
    manifest = Manifest.read(folder)
    if manifest.key and not manifest.signed:
        yield f"{MANIFEST} bears a signature that key {manifest.key.fingerprint} did not make"
    stated, found = manifest["files"], set(_names(folder))
    for name in sorted(found - stated.keys()):
        yield f"{name} is not of this backup"
    for name, one in sorted(stated.items()):
        if name not in found:
            yield f"{name} is missing"
        elif named(folder / name) != one:
            yield f"{name} was altered or damaged"
    if EVIDENCE_LIST in found:
        yield from _wrong_evidence(folder, home_of_evidence or folder.parent)
    if DATABASE in found:
        yield from _wrong_dump(folder / DATABASE, manifest["postgres"])


def _wrong_evidence(folder: Path, root: Path) -> Iterator[str]:
    try:
        listed = evidence_of(folder)
    except ValueError:
        yield f"{EVIDENCE_LIST} cannot be read"
        return
    for name, one in sorted(listed.items()):
        path = shared(root, one["sha256"])
        if not EVIDENCE_NAME.fullmatch(name):
            yield f"{name} is no name of a file of evidence"
        elif not path.is_file():
            yield f"the file of evidence {name} is missing"
        elif named(path) != one:
            yield f"the file of evidence {name} was altered or damaged"


def _wrong_dump(path: Path, server_version: int) -> Iterator[str]:
    try:
        postgres_tools.tools(server_version).run("pg_restore", "--file", os.devnull, path.resolve())
    except ToolFailed as problem:
        yield f"{DATABASE} cannot be read: {problem.facts['reason']}"
