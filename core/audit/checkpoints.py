"""Checkpoints: every seal once more, signed, in a file outside the database.

One JSON line per seal in `<folder>/<ledger>.jsonl`, where the ledger's name was drawn when the database was made. A
line holds everything that is needed to prove its rows without believing the seals in the database, and the signed head
of the Merkle tree over all rows so far (`core.audit.tree_heads`; lines of before there was a tree have none). Whoever
can write the database cannot make one, so a removed tail is missed here. Copy the file away from this machine now and
then.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import rfc8785

from core.audit.keys import PublicKey, Signer
from core.audit.merkle import Edge
from core.audit.seals import Seal
from core.audit.tree_heads import TreeHead, signed
from core.gateways.files import disk_needed

FORMAT = 1
KeyOf = Callable[[int], PublicKey | None]
"""The key that signs the seal of this number."""


@dataclass(frozen=True)
class Checkpoint:
    """One line of the file: the seal it holds, or what is wrong with the line."""

    line: int
    seal: Seal | None
    wrong: str = ""
    head: TreeHead | None = None


def file_of(folder: Path, ledger: str) -> Path:
    return folder / f"{ledger}.jsonl"


def line(seal: Seal, ledger: str, signer: Signer, *, now: datetime, edge: Edge | None = None) -> bytes:
    """The signed line of a seal. The signature is over the canonical JSON (RFC 8785) of everything else in it.

    `edge` is that of the tree which ends with the seal's rows.
    """
    facts = seal.facts() | {"format": FORMAT, "ledger": ledger, "signed_at": now.astimezone(UTC).isoformat()}
    if edge is not None:
        facts["tree"] = signed(edge, ledger, signer).facts()
    facts["key"] = signer.public.raw.hex()
    facts["signature"] = signer.sign(rfc8785.dumps(facts)).hex()
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def read(folder: Path, ledger: str, key_of: KeyOf, *, size: int) -> Iterator[Checkpoint]:
    """Every line of the first `size` bytes. A last line without its end was being written when the power went: it
    does not count."""
    with file_of(folder, ledger).open("rb") as file:
        for number, content in enumerate(file, start=1):
            size -= len(content)
            if size >= 0 and content.endswith(b"\n"):
                yield _checkpoint(number, content, ledger, key_of)


def last(folder: Path, ledger: str) -> Seal | None:
    """The seal of the last whole line, unchecked; None where the file is missing or empty."""
    content = last_line(folder, ledger)
    return Seal.of(json.loads(content)) if content else None


def last_line(folder: Path, ledger: str) -> bytes:
    """The last whole line as it is signed; empty where there is none."""
    path = file_of(folder, ledger)
    return last_line_of(path) if path.exists() else b""


def signed_line(content: bytes, ledger: str, key_of: KeyOf) -> Checkpoint:
    """One line taken out of its file, such as an export's."""
    return _checkpoint(1, content, ledger, key_of)


def append(folder: Path, ledger: str, lines: Sequence[bytes]) -> None:
    """Add lines so that they are on the disk when this returns; a torn line before them is cut off first."""
    append_to(file_of(folder, ledger), lines)


def append_to(path: Path, lines: Sequence[bytes]) -> None:
    """The same, to any file of lines. Raises `DiskUnusable`."""
    with disk_needed():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
            file.truncate(_whole(file.fileno()))
            file.seek(0, os.SEEK_END)
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)


def _checkpoint(number: int, content: bytes, ledger: str, key_of: KeyOf) -> Checkpoint:
    try:
        facts = json.loads(content)
        seal = Seal.of(facts)
        head = TreeHead.of(facts["tree"]) if "tree" in facts else None
        signature, signed_by = bytes.fromhex(facts.pop("signature")), bytes.fromhex(facts["key"])
        message = rfc8785.dumps(facts)
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, rfc8785.CanonicalizationError):
        return Checkpoint(number, None, "cannot be read")
    if facts.get("ledger") != ledger:
        return Checkpoint(number, None, "belongs to another database")
    public = key_of(seal.n)
    if public is None or public.raw != signed_by:
        other, wanted = PublicKey.of(signed_by), public.fingerprint if public else "any key that is pinned"
        named = other.fingerprint if other else "no key at all"
        return Checkpoint(number, None, f"bears a signature of {named}, and not of {wanted}")
    if not public.signed(message, signature):
        return Checkpoint(number, None, "bears a signature that this desk did not make")
    return Checkpoint(number, seal, head=head)


def _whole(handle: int) -> int:
    """How many bytes the whole lines take."""
    return _line_end(handle, os.fstat(handle).st_size)


def _line_end(handle: int, end: int) -> int:
    """Just after the last line feed before `end`."""
    while end > 0:
        start = max(0, end - 65536)
        os.lseek(handle, start, os.SEEK_SET)
        found = os.read(handle, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def last_line_of(path: Path) -> bytes:
    """The last whole line of a file that is there."""
    with path.open("rb") as file:
        end = _whole(file.fileno())
        start = _line_end(file.fileno(), end - 1)
        file.seek(start)
        return file.read(end - start)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
