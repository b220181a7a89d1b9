"""A seal: the hash of every entry, journal and row change of one range of transactions, chained to the seal before.

A range is `[lo, hi)` in transaction numbers, and closed: `hi` is at most the oldest transaction still running when it
was sealed, so nothing can be committed into it later. Rows are taken in the order (kind, transaction, id).

* leaf: sha256 of the row in canonical form (`core.audit.canonical`)
* root: sha256 of all leaves, one after the other
* leaves: what tells *which* row changed: for each row its id (8 bytes, big-endian) and the first 8 bytes of its leaf
* hash: sha256 of the lines below, where `prev` is the hash of the seal before, or sha256 of the ledger's name
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

LAST_XID = 2**64 - 1
LEAF = 16


@dataclass(frozen=True)
class Seal:
    """One seal, as it stands in the database or in a checkpoint. `*_after`: ids up to these belong to older epochs."""

    n: int
    epoch: int
    lo: int
    hi: int
    entries_after: int
    journals_after: int
    entries: int
    journals: int
    root: bytes
    leaves: bytes
    prev: bytes
    hash: bytes
    sealed_at: datetime
    changes_after: int | None = None  # None, as `changes` is: of before rows were sealed
    changes: int | None = None

    @property
    def rows(self) -> int:
        return sum(self.counted().values())

    def counted(self) -> dict[str, int]:
        return {"entry": self.entries, "journal": self.journals, "change": self.changes or 0}

    def rehash(self) -> bytes:
        """What `hash` must be."""
        changes, format = (self.changes_after, self.changes), 1 if self.changes is None else 2
        after, counted = (() if each is None else (each,) for each in changes)
        numbers = (self.n, self.epoch, self.lo, self.hi, self.entries_after, self.journals_after, *after)
        counts = (self.entries, self.journals, *counted)
        digests = (self.root.hex(), hashlib.sha256(self.leaves).hexdigest(), self.prev.hex())
        lines = (f"escrow-desk seal {format}", *numbers, *counts, *digests, micros(self.sealed_at))
        return hashlib.sha256("\n".join(map(str, lines)).encode()).digest()

    def known(self, kind: str) -> list[tuple[int, bytes]]:
        """(id, beginning of the leaf) of each sealed row of a kind, in order."""
        first = 0
        for name, count in self.counted().items():
            if name == kind:
                steps = range(first * LEAF, (first + count) * LEAF, LEAF)
                parts = (self.leaves[at : at + LEAF] for at in steps)
                return [(int.from_bytes(part[:8], "big", signed=True), part[8:]) for part in parts]
            first += count
        raise KeyError(kind)

    def facts(self) -> dict[str, Any]:
        """The seal as JSON knows it. Transaction numbers are text: JSON's own end at 2^53."""
        facts: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        facts = {name: value for name, value in facts.items() if value is not None}
        facts |= {name: str(facts[name]) for name in ("lo", "hi")}
        facts |= {name: facts[name].hex() for name in ("root", "prev", "hash")}
        facts["leaves"] = base64.b64encode(zlib.compress(self.leaves)).decode()
        facts["sealed_at"] = self.sealed_at.astimezone(UTC).isoformat()
        return facts

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Seal:
        """The other way round. Raises KeyError, TypeError, ValueError or zlib.error on anything else than `facts()`."""
        values: dict[str, Any] = {
            field.name: facts[field.name] if field.default is MISSING else facts.get(field.name)
            for field in fields(cls)
        }
        values |= {name: int(values[name]) for name in ("lo", "hi")}
        values |= {name: bytes.fromhex(values[name]) for name in ("root", "prev", "hash")}
        values["leaves"] = zlib.decompress(base64.b64decode(values["leaves"], validate=True))
        values["sealed_at"] = datetime.fromisoformat(values["sealed_at"])
        return cls(**values)


def first_prev(ledger: str) -> bytes:
    """What the first seal of a database chains to."""
    return hashlib.sha256(ledger.encode()).digest()


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
