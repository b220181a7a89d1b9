"""The proof of all entries of an export at once: where each stands in the Merkle tree of the last signed checkpoint.

`core.audit.bundle_proof` verifies it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from core.audit import checkpoints, many_leaves, proof_file, sealed_rows
from core.audit.canonical import ENTRY
from core.audit.key_trust import FIRST_USE, Ring
from core.audit.merkle import DIGEST, Edge, Tree, cut
from core.audit.pinned_keys import ledger_name, pins
from core.audit.seal_reading import seals_between
from core.audit.timestamps import Timestamp
from core.audit.tree_heads import Note, NothingSigned, TreeHead
from core.errors import DeskError

SEALS_AT_ONCE = 2_000


class NoBundle(DeskError):
    """No proof can be made of these entries: {why}. Run `escrow-desk audit verify`, which names what was altered; CSV,
    JSON Lines and Parquet can be exported without a proof."""


def made(
    session: Session,
    line: bytes,
    leaves: Mapping[int, bytes],
    *,
    not_sealed: int,
    alive: Callable[[], None],
    stamp: Timestamp | None = None,
) -> tuple[bytes, bytes | None]:
    """`line`: the last checkpoint, of before the session's snapshot; `leaves`: of each entry by its id, in the order of
    the file, and how many of them are `not_sealed`. Reads the hashes of the whole log, and says now and then that it is
    `alive`. With it comes what says when the part of the log up to the last `stamp` existed. Raises `NothingSigned`,
    `NoBundle`."""
    ring = Ring(ledger_name(session), pins(session), FIRST_USE)
    last, head = _signed(line, ring)
    sealed_rows.plan(session)
    joined, places = bytearray(), dict[int, int]()
    for first in range(1, last + 1, SEALS_AT_ONCE):
        alive()
        seals = seals_between(session, first, min(last, first + SEALS_AT_ONCE - 1))
        for seal, hashes in zip(seals, sealed_rows.tree_leaves(session, seals), strict=True):
            begin = len(joined) // DIGEST
            places |= {id: begin + at for at, (id, _) in enumerate(seal.known(ENTRY.name)) if id in leaves}
            joined += hashes
    if Edge().after([bytes(joined)]) != head.edge:
        raise NoBundle(why=f"the rows up to seal {last} are not those that were signed")
    if len(leaves) - len(places) > not_sealed:
        raise NoBundle(
            why=f"{len(leaves) - len(places)} entries stand in no seal, and {not_sealed} are not sealed yet"
        )
    for id, place in places.items():
        if joined[place * DIGEST : (place + 1) * DIGEST] != leaves[id]:
            raise NoBundle(why=f"entry {id} is not what was sealed")
    path = many_leaves.path(bytes(joined), sorted(places.values()))
    proof = proof_file.entries(ring, [places.get(id) for id in leaves], path, head)
    return proof, _dated(stamp, bytes(joined)) if stamp else None


def _dated(stamp: Timestamp, joined: bytes) -> bytes | None:
    """The stamp, and the proof that the log goes on from what it is of; None where it does not."""
    note = Note.of(stamp.note)
    before = Edge().after([joined[: note.size * DIGEST]])
    if (before.size, before.root) != (note.size, note.root):
        return None  # of another history, or of seals after the checkpoint
    path = Tree(before, cut(joined[note.size * DIGEST :])).consistency()
    facts = {
        "note": stamp.note,
        "answer": stamp.facts()["answer"],
        "path": [each.hex() for each in path],
    }
    return json.dumps(facts, indent=2, ensure_ascii=False).encode() + b"\n"


def _signed(line: bytes, ring: Ring) -> tuple[int, TreeHead]:
    found = checkpoints.signed_line(line, ring.ledger, ring.key_of) if line else None
    if found is not None and found.seal is None:
        raise NoBundle(why=f"the last checkpoint {found.wrong}")
    if found is None or found.seal is None or found.head is None:
        raise NothingSigned()
    return found.seal.n, found.head
