"""The two small files that prove something without the log: that an entry stood in it, and that it only grew.

Both are JSON, and hold the public keys that sign the log, each signed by the one before: whoever knows one of them can
tell that a later one is the desk's. `verify` needs no database and no configuration (docs/audit-format.md).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from core.audit.canonical import ENTRY_COLUMNS, entry_bytes
from core.audit.key_trust import Ring
from core.audit.keys import PublicKey
from core.audit.merkle import grew, leaf_hash, root_of_inclusion
from core.audit.pinned_keys import statement
from core.audit.tree_heads import Note, TreeHead, origin
from core.errors import DeskError

ENTRY, GROWTH = "escrow-desk/entry-proof/1", "escrow-desk/growth-proof/1"
ENTRIES = "escrow-desk/entries-proof/1"  # lies in a bundle: `core.audit.bundle_proof` verifies it
FIELDS: Mapping[str, frozenset[str]] = {
    ENTRY: frozenset("proof ledger entry index path checkpoint signed_by keys".split()),
    GROWTH: frozenset("proof ledger first second path signed_by keys".split()),
}
LARGEST = 2**24  # bytes


class NotAProof(DeskError):
    """{name} is not a proof of an entry or of the log's growth ({why})."""


@dataclass(frozen=True)
class ProofVerification:
    """What was found. `wrong` is empty where the file proves what it says."""

    kind: str
    ledger: str
    size: int
    key: str
    known: bool
    entry: Mapping[str, Any] | None = None
    first_size: int | None = None
    wrong: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.wrong

    def text(self) -> str:
        if self.wrong:
            return "\n".join(self.wrong)
        rows = f"{self.size:,} row" if self.size == 1 else f"{self.size:,} rows"
        if self.entry is not None:
            what = f"Entry {self.entry['id']} stood in the log {self.ledger} as it is here, among the first {rows}"
        else:
            what = f"The log {self.ledger} only grew, from {self.first_size:,} to {rows}: nothing before was altered"
        if self.known:
            return f"{what}; signed by key {self.key}, as it should be."
        unknown = (
            "It is not known here whether that is the desk's key: name the one that you were told with --key."
        )
        return f"{what}, by the signature of key {self.key}. {unknown}"

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.known, **vars(self)}


def entry(ring: Ring, facts: Mapping[str, Any], index: int, path: Sequence[bytes], head: TreeHead) -> bytes:
    """The proof that an entry stood in the log."""
    also = {"entry": dict(facts), "index": index, "checkpoint": head.note}
    return _written(ring, ENTRY, path, Note.of(head.note), also)


def growth(ring: Ring, first: Note, second: TreeHead, path: Sequence[bytes]) -> bytes:
    """The proof that the log of the second checkpoint begins with that of the first."""
    also = {"first": first.note, "second": second.note}
    return _written(ring, GROWTH, path, Note.of(second.note), also)


def entries(ring: Ring, places: Sequence[int | None], path: Sequence[bytes], head: TreeHead) -> bytes:
    """The proof that many entries stood in the log: `places` of their leaves, None where one is not sealed yet."""
    also = {"checkpoint": head.note, "places": list(places)}
    return _written(ring, ENTRIES, path, Note.of(head.note), also, indent=None)


def signer_among(note: Note, keys: Iterable[PublicKey]) -> PublicKey | None:
    """Whose signature the note bears; None where it is nobody's of these."""
    return next((each for each in keys if note.signed_by(each)), None)


def verify(
    content: bytes, *, name: str, key: str | None = None, since: str | None = None
) -> ProofVerification:
    """`key` is the fingerprint that must have signed, or handed over to the key that did; `since` the checkpoint that
    the verifier kept, which a proof of growth must begin with. Raises `NotAProof`."""
    data = _read(content, name)
    try:
        notes = [Note.of(data[each]) for each in ("first", "second", "checkpoint") if each in data]
        path = [bytes.fromhex(each) for each in data["path"]]
        keys = [(PublicKey.of(bytes.fromhex(each["public_key"])), each) for each in data["keys"]]
        found = _entry(data, notes[-1], path) if data["proof"] == ENTRY else _growth(notes, path)
        kept = [public for public, _ in keys if public]
        signed = [signer_among(note, kept) for note in notes]
        known = handed_over(data["ledger"], [(public, each) for public, each in keys if public], key)
    except (KeyError, TypeError, ValueError, AttributeError, struct.error, OverflowError) as problem:
        raise NotAProof(name=name, why=f"it cannot be read: {problem}") from None
    wrong = [] if found else [WRONG[data["proof"]]]
    if any(note.origin != origin(data["ledger"]) for note in notes):
        wrong.append("The checkpoint is of another log than the file says.")
    wrong += _signatures(signed, key, known)
    if since is not None and (data["proof"] != GROWTH or notes[0].note != since):
        wrong.append("It does not begin with the checkpoint that you kept.")
    shown = signed[-1].fingerprint if signed[-1] else "none"
    if signed[-1] and shown != data["signed_by"]:
        wrong.append(f"The file says that {data['signed_by']} signed it, and {shown} did.")
    return ProofVerification(
        kind="entry" if data["proof"] == ENTRY else "growth",
        ledger=data["ledger"],
        size=notes[-1].size,
        key=shown,
        known=bool(key) and not wrong,
        entry=data.get("entry"),
        first_size=notes[0].size if data["proof"] == GROWTH else None,
        wrong=tuple(wrong),
    )


def ledger_of(content: bytes, *, name: str) -> str:
    """Which desk's log it says it is of."""
    return str(_read(content, name)["ledger"])


WRONG = {
    ENTRY: "The entry is not in the tree that was signed: the entry, its place or its path was altered.",
    GROWTH: "The second tree does not begin with the first: the log was altered, or one of the checkpoints.",
}


def _entry(data: Mapping[str, Any], note: Note, path: Sequence[bytes]) -> bool:
    row = data["entry"]
    if row.keys() != set(ENTRY_COLUMNS.split()):
        raise ValueError("the entry has other columns than an entry")
    return root_of_inclusion(leaf_hash(entry_bytes(row)), int(data["index"]), note.size, path) == note.root


def _growth(notes: Sequence[Note], path: Sequence[bytes]) -> bool:
    first, second = notes
    return grew(first.size, first.root, second.size, second.root, path)


def _signatures(signed: Sequence[PublicKey | None], key: str | None, known: frozenset[str]) -> list[str]:
    wrong = []
    for each in signed:
        if each is None:
            wrong.append("The checkpoint bears no signature of a key in the file: it was altered.")
        elif key and each.fingerprint not in known:
            wrong.append(
                f"The checkpoint is signed by the key {each.fingerprint}, and not by {key} or a key that it handed "
                "over to."
            )
    return wrong


def handed_over(
    ledger: str, keys: Sequence[tuple[PublicKey, Mapping[str, Any]]], key: str | None
) -> frozenset[str]:
    """The key that is asked for, and those after it as far as each is signed by the one before."""
    known = {key or ""}
    for (before, _), (public, pin) in pairwise(keys):
        at = datetime.fromisoformat(pin["pinned_at"])
        said = statement(ledger, pin["n"], public, at, pin["after_seal"], bytes.fromhex(pin["after_hash"]))
        signature = bytes.fromhex(pin["by_previous"] or "")
        if before.fingerprint in known and before.signed(said, signature):
            known.add(public.fingerprint)
    return frozenset(known)


def _written(
    ring: Ring,
    kind: str,
    path: Sequence[bytes],
    last: Note,
    also: Mapping[str, Any],
    *,
    indent: int | None = 2,
) -> bytes:
    keys = [
        {
            "n": pin.n,
            "public_key": pin.public.raw.hex(),
            "pinned_at": pin.pinned_at.astimezone(UTC).isoformat(),
            "after_seal": pin.after_seal,
            "after_hash": pin.after_hash.hex(),
            "by_previous": pin.by_previous.hex() if pin.by_previous else None,
        }
        for pin in ring.pins
    ]
    signer = signer_among(last, (pin.public for pin in ring.pins))
    facts = {
        "proof": kind,
        "ledger": ring.ledger,
        **also,
        "path": [each.hex() for each in path],
        "signed_by": signer.fingerprint if signer else "none",
        "keys": keys,
    }
    return json.dumps(facts, indent=indent, ensure_ascii=False).encode() + b"\n"


def _read(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > LARGEST:
        raise NotAProof(name=name, why="it is too large")
    try:
        data = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as problem:
        raise NotAProof(name=name, why=f"it is no JSON: {problem}") from None
    if not isinstance(data, dict) or data.get("proof") not in FIELDS:
        raise NotAProof(name=name, why="it is of another kind")
    if data.keys() != FIELDS[data["proof"]]:
        raise NotAProof(name=name, why="it holds other fields than a proof does")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Whoever reads the first of two fields of one name would read another entry than whoever reads the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands in it twice")
    return found
