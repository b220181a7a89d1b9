"""The proof that the log only grew: that of today begins with the one whose checkpoint a witness kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import checkpoints, proof_file, sealed_rows
from core.audit.actions import AuditAction
from core.audit.checkpoint_lines import lines_from
from core.audit.entries import record
from core.audit.key_trust import FIRST_USE, Ring
from core.audit.merkle import Edge, Tree, cut
from core.audit.pinned_keys import ledger_name, pins
from core.audit.seal_reading import seals_between
from core.audit.tree_heads import Note, NothingSigned, TreeHead, origin
from core.db import Database
from core.errors import DeskError
from core.rules.permissions import Actor, Permission, require, require_fresh

ENDS_WITH = text(
    "select min(n) from (select n, sum(entries + journals + coalesce(changes, 0)) over (order by n) as rows"
    " from public.seals) each"
    " where rows = :size"
)


class NotOurCheckpoint(DeskError):
    """{name} is not a checkpoint of this desk ({why})."""


class OtherHistory(DeskError):
    """The log does not begin with the one of that checkpoint ({why}): it was altered since, or cut short and continued.

    Run `escrow-desk audit verify`, and keep the checkpoint: it bears the desk's signature.
    """


@dataclass(frozen=True)
class GrowthProof:
    """The file as it is handed out, and from how many rows to how many."""

    content: bytes
    first_size: int
    size: int
    fingerprint: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def newest(auditor: Database, folder: Path) -> TreeHead:
    """The last checkpoint that was signed. Raises `NothingSigned`."""
    with auditor.reading() as session:
        return _newest(Ring(ledger_name(session), pins(session), FIRST_USE), folder)[1]


def prove(
    auditor: Database, note: str, *, name: str, desk: Database, actor: Actor, now: datetime, folder: Path
) -> GrowthProof:
    """`note` is the checkpoint that a witness kept. Read as `auditor`, and recorded through `desk` before it leaves.

    Raises `NotPermitted`, `StepUpRequired`, `NotOurCheckpoint`, `OtherHistory`, `NothingSigned`.
    """
    require(actor, Permission.EXPORT_AUDIT)
    require_fresh(actor, now)
    with auditor.reading() as session:
        sealed_rows.plan(session)
        proof = _made(session, note, name, folder)
    with desk.transaction() as session:
        after = {"sha256": proof.sha256, "first_size": proof.first_size, "tree_size": proof.size}
        action = AuditAction.GROWTH_PROVE.by("audit")
        record(session, actor, action, object_kind="export", object_id="growth", now=now, after=after)
    return proof


def _made(session: Session, note: str, name: str, folder: Path) -> GrowthProof:
    ring = Ring(ledger_name(session), pins(session), FIRST_USE)
    first = _kept(note, name, ring)
    last, head = _newest(ring, folder)
    n, before = _of_size(session, ring, folder, first)
    seals = seals_between(session, n + 1, last)
    tree = Tree(before, cut(b"".join(sealed_rows.tree_leaves(session, seals))))
    if before.after(tree.leaves) != head.edge:
        raise OtherHistory(why=f"the rows of the seals from {n + 1} to {last} are not those that were signed")
    content = proof_file.growth(ring, first, head, tree.consistency())
    public = ring.key_of(last)
    assert public is not None  # the checkpoint was checked with it
    return GrowthProof(content, first.size, head.edge.size, public.fingerprint)


def _kept(note: str, name: str, ring: Ring) -> Note:
    try:
        found = Note.of(note)
    except ValueError as problem:
        raise NotOurCheckpoint(name=name, why=str(problem)) from None
    if found.origin != origin(ring.ledger):
        raise NotOurCheckpoint(name=name, why=f"it is of {found.origin}")
    if proof_file.signer_among(found, (pin.public for pin in ring.pins)) is None:
        raise NotOurCheckpoint(name=name, why="it bears no signature of a key that is pinned here")
    return found


def _newest(ring: Ring, folder: Path) -> tuple[int, TreeHead]:
    line = checkpoints.last_line(folder, ring.ledger)
    found = checkpoints.signed_line(line, ring.ledger, ring.key_of) if line else None
    if found is None or found.seal is None or found.head is None:
        raise NothingSigned()
    return found.seal.n, found.head


def _of_size(session: Session, ring: Ring, folder: Path, first: Note) -> tuple[int, Edge]:
    """The seal after which the log had as many rows as the witness saw, and the edge of the tree there."""
    n = session.execute(ENDS_WITH, {"size": first.size}).scalar()
    if n is None:
        raise OtherHistory(why=f"no seal ends with row {first.size:,}")
    for number, line in lines_from(checkpoints.file_of(folder, ring.ledger), n):
        found = checkpoints.signed_line(line, ring.ledger, ring.key_of)
        if number == n and found.head and found.head.edge.root == first.root:
            return n, found.head.edge
        break
    raise OtherHistory(why=f"the first {first.size:,} rows have another root")
