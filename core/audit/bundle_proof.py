"""A bundle held against itself and a fingerprint, with no database and no configuration: its signature, its hashes, and
that every entry in it stands in the signed tree."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, is_zipfile

from core.audit import export_proof, many_leaves, proof_file
from core.audit.canonical import ENTRY_COLUMNS, entry_bytes
from core.audit.export_manifest import ENTRIES, KEY, MANIFEST, PROOF, TIMESTAMP, Format
from core.audit.export_proof import BundleDamaged, ExportVerification, NoManifest, StampedEntries
from core.audit.keys import PublicKey
from core.audit.merkle import grew, leaf_hash
from core.audit.timestamps import Authority, CertificateUnusable, TimestampRefused
from core.audit.tree_heads import Note, origin

NAMES = frozenset({MANIFEST, ENTRIES, PROOF, KEY})
LONGEST = 2**26  # bytes of a line
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, struct.error, OverflowError, RecursionError)
BEGINS = b"PK\3\4"
BROKEN = (BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)


def is_bundle(file: Path) -> bool:
    """Also one that is cut off, which is a zip file by its beginning alone."""
    return file.is_file() and (is_zipfile(file) or _begins(file))


def _begins(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(len(BEGINS)) == BEGINS


def ledger_of(file: Path) -> str:
    """Which desk's log it says it is from. Raises `NoManifest`, `BundleDamaged`."""
    with _opened(file) as bundle:
        return str(_manifest(bundle, file)["ledger"])


def verify(file: Path, *, key: str | None = None, authority: Authority | None = None) -> ExportVerification:
    """`key` is the fingerprint that must have signed, or handed over to the key that did; `authority` whose timestamp
    is believed. Raises `NoManifest`, `BundleDamaged`."""
    with _opened(file) as bundle:
        data = _manifest(bundle, file)
        try:
            return _verified(bundle, data, key, authority)
        except BROKEN as problem:
            raise BundleDamaged(path=file, why=str(problem)) from None


def _verified(
    bundle: ZipFile, data: Mapping[str, Any], key: str | None, authority: Authority | None
) -> ExportVerification:
    with bundle.open(ENTRIES) as content:
        rows = _Rows.read(content)
    wrong = export_proof.differing(rows.sha256, rows.marks, data)
    files = {name: _whole(bundle, name) for name in bundle.namelist() if name not in (MANIFEST, ENTRIES)}
    for name, content_of in files.items():
        if hashlib.sha256(content_of).hexdigest() != data["files"].get(name):
            wrong.append(f"{name} in the bundle was altered: it has another hash than the manifest says.")
    wrong += [f"{name} is gone from the bundle." for name in data["files"] if name not in files]
    try:
        proof = json.loads(files[PROOF])
        known = _known(proof, data, key)
        proved = sum(place is not None for place in proof["places"])
        wrong += _tree(proof, data, rows, key, known)
        stamped = _stamped(files[TIMESTAMP], proof, authority) if TIMESTAMP in files else None
    except UNREADABLE as problem:
        known, proved, stamped = frozenset(), 0, None
        wrong.append(f"{PROOF} cannot be read: {problem!r}")
    if stamped and stamped.wrong:
        wrong.append(stamped.wrong)
    return export_proof.found(data, wrong, key=key, known=known, proved=proved, stamped=stamped)


def _stamped(content: bytes, proof: Mapping[str, Any], authority: Authority | None) -> StampedEntries:
    """How many of the entries existed when an authority stamped an earlier checkpoint of the same log."""
    try:
        facts, second = json.loads(content), Note.of(proof["checkpoint"])
        first, path = Note.of(facts["note"]), [bytes.fromhex(each) for each in facts["path"]]
        count = sum(place is not None and place < first.size for place in proof["places"])
        if first.origin != second.origin or not grew(first.size, first.root, second.size, second.root, path):
            return StampedEntries(wrong="The timestamp is of another log than the entries stand in.")
        answer = base64.b64decode(facts["answer"], validate=True)
        return StampedEntries(count, authority.time_of(first.note, answer) if authority else None)
    except (TimestampRefused, CertificateUnusable) as problem:
        return StampedEntries(wrong=problem.message)
    except UNREADABLE as problem:
        return StampedEntries(wrong=f"{TIMESTAMP} cannot be read: {problem!r}")


@dataclass(frozen=True)
class _Rows:
    """The entries of the bundle: their hash, and of each its id, mark and leaf (None where it cannot be read)."""

    sha256: str
    marks: list[tuple[int | None, bytes]]
    leaves: list[bytes | None]

    @classmethod
    def read(cls, content: IO[bytes]) -> _Rows:
        digest, marks, leaves = hashlib.sha256(), [], []
        for line in _lines(content):
            digest.update(line)
            marks.append(export_proof.id_and_mark(line))
            leaves.append(_leaf(line))
        return cls(digest.hexdigest(), marks, leaves)


def _lines(content: IO[bytes]) -> Iterator[bytes]:
    while line := content.readline(LONGEST):
        yield line


def _leaf(line: bytes) -> bytes | None:
    try:
        row = json.loads(line)
        return leaf_hash(entry_bytes(row)) if row.keys() == set(ENTRY_COLUMNS.split()) else None
    except UNREADABLE:
        return None


def _known(proof: Mapping[str, Any], data: Mapping[str, Any], key: str | None) -> frozenset[str]:
    """The fingerprints of the key that is asked for and of those that it handed over to."""
    keys = [(PublicKey.of(bytes.fromhex(each["public_key"])), each) for each in proof["keys"]]
    return proof_file.handed_over(data["ledger"], [(public, each) for public, each in keys if public], key)


def _tree(
    proof: Mapping[str, Any], data: Mapping[str, Any], rows: _Rows, key: str | None, known: frozenset[str]
) -> Iterator[str]:
    note, places = Note.of(proof["checkpoint"]), proof["places"]
    if proof["proof"] != proof_file.ENTRIES or proof["ledger"] != data["ledger"]:
        yield f"{PROOF} is of another kind, or of another log."
    line = json.loads(data["checkpoint"] or "{}")
    if note.origin != origin(data["ledger"]) or line.get("tree", {}).get("note") != note.note:
        yield "The proof rests on another checkpoint than the manifest names."
    signer = next(
        (public for each in proof["keys"] if (public := PublicKey.of(bytes.fromhex(each["public_key"])))
         and note.signed_by(public)),
        None,
    )  # fmt: skip
    if signer is None or (key and signer.fingerprint not in known):
        yield f"The checkpoint is not signed by {key or 'a key in the bundle'}, or a key that it handed over to."
    if len(places) != len(rows.leaves) or places.count(None) != data["not_sealed"]:
        yield "The proof has other rows than the manifest says."
        return
    pairs = zip(places, rows.leaves, strict=True)
    leaves = {place: leaf for place, leaf in pairs if place is not None and leaf is not None}
    whole = len(leaves) == len(places) - places.count(None)
    path = [bytes.fromhex(each) for each in proof["path"]]
    if not whole or many_leaves.root_of(leaves, note.size, path) != note.root:
        yield "The entries are not in the tree that was signed: one of them, its place or the path was altered."


def _opened(file: Path) -> ZipFile:
    try:
        bundle = ZipFile(file)
    except BROKEN as problem:
        if is_bundle(file):
            raise BundleDamaged(path=file, why=str(problem)) from None
        raise NoManifest(path=file, why="it is no zip file") from None
    names = bundle.namelist()
    if len(names) != len(set(names)) or set(names) - {TIMESTAMP} != NAMES:
        bundle.close()
        raise NoManifest(path=file, why=f"a bundle holds {', '.join(sorted(NAMES))} and perhaps {TIMESTAMP}")
    return bundle


def _manifest(bundle: ZipFile, file: Path) -> dict[str, Any]:
    try:
        content = _whole(bundle, MANIFEST)
    except BROKEN as problem:
        raise BundleDamaged(path=file, why=str(problem)) from None
    data = export_proof.read(content, file)
    if data["format"] != Format.BUNDLE or not isinstance(data.get("files"), dict):
        raise NoManifest(path=file, why="its manifest is not that of a bundle")
    return data


def _whole(bundle: ZipFile, name: str) -> bytes:
    with bundle.open(name) as content:
        found = content.read(export_proof.LARGEST + 1)
    if len(found) > export_proof.LARGEST:
        raise BadZipFile(f"{name} is too large")
    return found
