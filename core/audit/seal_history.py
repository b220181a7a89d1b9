"""The history of seals: what was signed outside, and what the database says, side by side.

Where there is a checkpoint that this desk signed, it is believed and the seal in the database is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from core.audit import checkpoints
from core.audit.checkpoints import Checkpoint
from core.audit.key_trust import Ring
from core.audit.keys import PUBLIC_FILE, KeyUnusable, PublicKey
from core.audit.seal_reading import seals_after
from core.audit.seals import LAST_XID, Seal, first_prev
from core.audit.tree_heads import TreeHead
from core.audit.verification_report import Finding


@dataclass(frozen=True)
class Witnessed:
    """One seal to believe (or none), whether it was signed, and what is wrong about it."""

    seal: Seal | None
    signed: bool = False
    findings: tuple[Finding, ...] = ()
    head: TreeHead | None = None


@dataclass(frozen=True)
class Witness:
    """The checkpoint file as it was before the database was looked at, and the keys to believe it by."""

    folder: Path
    ring: Ring
    size: int

    @classmethod
    def at(cls, folder: Path, ring: Ring) -> Witness:
        path = checkpoints.file_of(folder, ring.ledger)
        return cls(folder, ring, path.stat().st_size if path.exists() else 0)

    @property
    def missing(self) -> Finding | None:
        """Why nothing that was signed can be believed."""
        return None if self.size else Finding("checkpoint", "no_checkpoints", why=str(self.folder))

    def keys(self) -> Iterator[Finding]:
        """What is wrong with the keys, and with the one that lies beside the checkpoints."""
        yield from self.ring.findings()
        pinned, beside = self.ring.pinned, self._key_beside()
        if pinned and beside and beside != pinned.fingerprint:
            yield Finding("key", "beside", why=f"{beside}; pinned is {pinned.fingerprint}")

    def _key_beside(self) -> str | None:
        try:
            public = PublicKey.read(self.folder / PUBLIC_FILE)
        except KeyUnusable:
            return "not a key"
        return public.fingerprint if public else None

    def signed(self) -> Iterator[Checkpoint]:
        if self.size:
            yield from checkpoints.read(self.folder, self.ring.ledger, self.ring.key_of, size=self.size)


def history(session: Session, witness: Witness) -> Iterator[Witnessed]:
    """Every seal from the first, each checked against its checkpoint and against the seal before it."""
    prev, before = first_prev(witness.ring.ledger), None
    for one in _paired(witness.signed(), _stored(session)):
        if one.seal is None:
            yield one
            continue
        follows = one.seal.prev == prev and one.seal.hash == one.seal.rehash() and _next(before, one.seal)
        broken = () if follows else (Finding("seal", "broken", seal=one.seal.n),)
        found = one.findings + broken + tuple(witness.ring.vouched(one.seal))
        yield Witnessed(one.seal, one.signed, found, one.head)
        prev, before = one.seal.hash, one.seal


def _next(before: Seal | None, seal: Seal) -> bool:
    """Numbers and ranges go on without a gap; a new epoch begins only where the one before was closed."""
    if before is None:
        return (seal.n, seal.epoch, seal.lo) == (1, 1, 0)
    closed = before.hi == LAST_XID
    return (seal.n, seal.epoch, seal.lo) == (before.n + 1, before.epoch + closed, 0 if closed else before.hi)


def _stored(session: Session) -> Iterator[Seal]:
    n = 0
    while seals := seals_after(session, n):
        yield from seals
        n = seals[-1].n


def _paired(signed: Iterator[Checkpoint], stored: Iterator[Seal]) -> Iterator[Witnessed]:
    """Both lists merged by number."""
    line, seal = next(signed, None), next(stored, None)
    while line or seal:
        if line and line.seal is None:
            yield Witnessed(None, findings=(Finding("checkpoint", "forged", id=line.line, why=line.wrong),))
            line = next(signed, None)
        elif line and line.seal and (seal is None or line.seal.n < seal.n):
            yield Witnessed(line.seal, True, (Finding("seal", "seal_removed", seal=line.seal.n),), line.head)
            line = next(signed, None)
        elif line and line.seal and seal and line.seal.n == seal.n:
            rewritten = () if line.seal == seal else (Finding("seal", "rewritten", seal=seal.n),)
            yield Witnessed(line.seal, True, rewritten, line.head)
            line, seal = next(signed, None), next(stored, None)
        elif seal:
            yield Witnessed(seal, False, (Finding("seal", "unsigned", seal=seal.n),) if line else ())
            seal = next(stored, None)
