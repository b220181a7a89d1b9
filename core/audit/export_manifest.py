"""The manifest of an export: signed, with a mark for every row, so that anybody can tell offline what is off.

Signed is the canonical JSON (RFC 8785) of everything but the signature. It holds the SHA-256 of the whole file, and
for each row its id and the first four bytes of its own SHA-256: the first proves, the second names the row. The
checkpoint of the last signed seal lies in it whole, so that the export can be held against the desk's checkpoints.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import rfc8785

from core.audit.keys import PublicKey, Signer

FORMAT = "escrow-desk/audit-export/2"
# What the key signs elsewhere begins otherwise, so a signature can never be taken from there.
SIGNED_AS = b"escrow-desk audit export 2\n"
MARK = 4
# What lies in a bundle.
MANIFEST, ENTRIES, PROOF, KEY = "manifest.json", "entries.jsonl", "proof.json", "signing-key.pem"
TIMESTAMP = "timestamp.json"  # only where an authority has stamped a checkpoint


class Format(StrEnum):
    """`BUNDLE`: the manifest, the entries as JSON Lines and their proof in one zip file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    BUNDLE = "bundle"

    @property
    def ending(self) -> str:
        return "zip" if self is Format.BUNDLE else self.value


@dataclass
class Marks:
    """Id and mark of each row, in the order of the file; five to eight bytes a row."""

    ids: bytearray = field(default_factory=bytearray)
    marks: bytearray = field(default_factory=bytearray)
    first: int | None = None
    last: int = 0

    def add(self, id: int, line: bytes) -> None:
        step = id - self.last  # rows are in the order of their ids
        self.first, self.last = (id if self.first is None else self.first), id
        while step > 127:
            self.ids.append(step & 127 | 128)
            step >>= 7
        self.ids.append(step)
        self.marks += mark(line)

    def packed(self) -> dict[str, str]:
        return {
            "ids": base64.b64encode(zlib.compress(bytes(self.ids))).decode(),
            "marks": base64.b64encode(bytes(self.marks)).decode(),
        }

    @staticmethod
    def unpacked(packed: Mapping[str, str]) -> Iterator[tuple[int, bytes]]:
        """(id, mark) of each row. Raises ValueError, KeyError or zlib.error on anything else than `packed()`."""
        ids = zlib.decompress(base64.b64decode(packed["ids"], validate=True))
        marks = base64.b64decode(packed["marks"], validate=True)
        id = step = shift = at = 0
        for byte in ids:
            step |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                id += step
                yield id, marks[at : at + MARK]
                step = shift = 0
                at += MARK


def mark(line: bytes) -> bytes:
    return hashlib.sha256(line).digest()[:MARK]


@dataclass(frozen=True)
class Manifest:
    """What an export holds, and the desk's word for it.

    `seal` is the last one that was signed at that moment; it covers all but `not_sealed` rows. `checkpoint` is its
    line, as the checkpoint file has it. `sha256` is of the file, in a bundle of the entries in it; `files` are the
    hashes of what else is in a bundle.
    """

    name: str
    format: Format
    filter: Mapping[str, Any]
    rows: int
    sha256: str
    first_id: int | None
    last_id: int | None
    ledger: str
    seal: int | None
    seal_hash: str | None
    checkpoint: str | None
    not_sealed: int
    exported_at: str
    header_sha256: str | None = None
    lines: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    signature: str = ""

    def facts(self) -> dict[str, Any]:
        """Everything that is signed."""
        facts = asdict(self) | {"format": self.format.value, "manifest": FORMAT}
        del facts["signature"]
        return facts

    def json(self) -> bytes:
        return json.dumps(self.facts() | {"signature": self.signature}, indent=2).encode() + b"\n"


def signed(facts: Mapping[str, Any], signer: Signer) -> Manifest:
    """The manifest with the desk's signature."""
    draft = Manifest(**facts, key=signer.public.raw.hex())
    signature = signer.sign(SIGNED_AS + rfc8785.dumps(draft.facts()))
    return Manifest(**facts, key=draft.key, signature=signature.hex())


def signer_of(data: Mapping[str, Any]) -> PublicKey | None:
    """The key whose signature is over these facts; None where it is not. Raises KeyError, TypeError, ValueError."""
    facts = {name: value for name, value in data.items() if name != "signature"}
    public = PublicKey.of(bytes.fromhex(facts["key"]))
    message = SIGNED_AS + rfc8785.dumps(facts)
    return public if public and public.signed(message, bytes.fromhex(data["signature"])) else None
