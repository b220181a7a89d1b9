"""The proof of one entry, for whoever has neither the log nor a database: a court, an auditor, a witness.

It holds the entry, the path from its leaf to the root of the Merkle tree over every sealed row, and the signed head of
that tree. It says nothing of any other entry. `core.audit.proof_file` verifies it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import checkpoints, proof_file, sealed_rows
from core.audit.actions import AuditAction
from core.audit.canonical import ENTRY, entry_bytes
from core.audit.checkpoint_lines import lines_from
from core.audit.entries import record
from core.audit.key_trust import FIRST_USE, Ring
from core.audit.merkle import Edge, Tree, cut, leaf_hash
from core.audit.pinned_keys import ledger_name, pins
from core.audit.seal_reading import seals_between
from core.audit.seals import Seal
from core.audit.tree_heads import TreeHead
from core.db import Database
from core.errors import DeskError, NotFound
from core.rules.permissions import Actor, Permission, require, require_fresh

READ = text(
    """
    select e.id, e.at, e.actor_kind, e.actor_id, e.role, e.action, e.object_kind, e.object_id, e.reason,
           e.before::text as before, e.after::text as after, e.project_id, e.milestone_id, e.ticket_id, e.report_id,
           e.operation_key, e.recorded_at, e.xid::text as xid,
           (select s.n from public.seals s
            where s.hi > e.xid
              and s.epoch = (select max(era.epoch) from public.seal_epochs era where era.entries_after < e.id)
            order by s.hi limit 1) as seal
    from public.audit_entries e where e.id = :id
    """
)


class EntryNotSealed(DeskError):
    """Entry {id} is not under a signed seal yet, so nothing proves it so far. The worker seals each second; try again.

    Where this lasts, `escrow-desk doctor` says why.
    """


class NoProof(DeskError):
    """No proof can be made of entry {id}: {why}. Run `escrow-desk audit verify`, which names what was altered."""


@dataclass(frozen=True)
class EntryProof:
    """The file as it is handed out, and where in the tree it puts the entry."""

    entry_id: int
    content: bytes
    seal: int
    size: int
    fingerprint: str

    @property
    def name(self) -> str:
        return f"entry-{self.entry_id}.proof.json"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def prove(
    auditor: Database, entry_id: int, *, desk: Database, actor: Actor, now: datetime, folder: Path
) -> EntryProof:
    """Read as `auditor`; that it was taken, and its fingerprint, is recorded through `desk` before it leaves.

    `folder` holds the checkpoints. Raises `NotPermitted`, `StepUpRequired`, `NotFound`, `EntryNotSealed`, `NoProof`.
    """
    require(actor, Permission.EXPORT_AUDIT)
    require_fresh(actor, now)
    with auditor.reading() as session:
        sealed_rows.plan(session)
        proof = _made(session, entry_id, folder)
    with desk.transaction() as session:
        after = {"sha256": proof.sha256, "seal": proof.seal, "tree_size": proof.size}
        action = AuditAction.ENTRY_PROVE.by("audit")
        record(session, actor, action, object_kind="audit_entry", object_id=entry_id, now=now, after=after)
    return proof


def _made(session: Session, entry_id: int, folder: Path) -> EntryProof:
    row = session.execute(READ, {"id": entry_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="audit entry", id=entry_id)
    if row["seal"] is None:
        raise EntryNotSealed(id=entry_id)
    ring = Ring(ledger_name(session), pins(session), FIRST_USE)
    signed = _Signed.of(session, ring, folder, int(row["seal"]), entry_id)
    entry = _facts({name: value for name, value in row.items() if name != "seal"})
    index = signed.index(int(row["seal"]), entry_id)
    if signed.tree.leaves[index - signed.tree.before.size] != leaf_hash(_bytes(entry, entry_id)):
        raise NoProof(id=entry_id, why="it is not what was sealed")
    content = proof_file.entry(ring, entry, index, signed.tree.inclusion(index), signed.head)
    public = ring.key_of(signed.seals[-1].n)
    assert public is not None  # the checkpoint was checked with it
    return EntryProof(entry_id, content, int(row["seal"]), signed.tree.size, public.fingerprint)


@dataclass(frozen=True)
class _Signed:
    """The tree of the first checkpoint that covers the entry's seal and holds one: of the seal's own, unless that was
    made before there was a tree. `seals` are those whose rows the tree knows leaf by leaf."""

    seals: list[Seal]
    tree: Tree
    head: TreeHead

    @classmethod
    def of(cls, session: Session, ring: Ring, folder: Path, seal: int, entry_id: int) -> _Signed:
        before, first = Edge(), 1
        for n, line in lines_from(checkpoints.file_of(folder, ring.ledger), seal - 1):
            found = checkpoints.signed_line(line, ring.ledger, ring.key_of)
            if found.seal is None:
                raise NoProof(id=entry_id, why=f"the checkpoint of seal {n} {found.wrong}")
            if found.head and n < seal:
                before, first = found.head.edge, n + 1
            elif found.head:
                seals = seals_between(session, first, n)
                tree = Tree(before, cut(b"".join(sealed_rows.tree_leaves(session, seals))))
                if before.after(tree.leaves) != found.head.edge:
                    raise NoProof(id=entry_id, why=f"the rows up to seal {n} are not those that were signed")
                return cls(seals, tree, found.head)
        raise EntryNotSealed(id=entry_id)

    def index(self, seal: int, entry_id: int) -> int:
        """The place of the entry among all leaves of the tree."""
        earlier = sum(each.rows for each in self.seals if each.n < seal)
        own = next(each for each in self.seals if each.n == seal)
        ids = [id for id, _ in own.known(ENTRY.name)]
        if entry_id not in ids:
            raise NoProof(id=entry_id, why=f"it is not among the entries of seal {seal}")
        return self.tree.before.size + earlier + ids.index(entry_id)


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    """The columns as they stand in the file: times in UTC."""
    times = {name: row[name].astimezone(UTC).isoformat() for name in ("at", "recorded_at")}
    return {**row, **times}


def _bytes(entry: dict[str, Any], entry_id: int) -> bytes:
    try:
        return entry_bytes(json.loads(json.dumps(entry)))
    except (KeyError, TypeError, ValueError, struct.error) as problem:
        raise NoProof(id=entry_id, why=f"its canonical form cannot be made ({problem})") from None
