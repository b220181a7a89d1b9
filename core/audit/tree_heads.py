"""Tree heads: the size and root of the Merkle tree over every sealed row, signed, in the form that witnesses read.

The form is the checkpoint of C2SP (tlog-checkpoint): a signed note of origin, size and root.

    escrow-desk/<ledger>
    <number of leaves>
    <root in base64>

    — escrow-desk/<ledger> <base64 of 4 bytes that name the key, and the Ed25519 signature of the lines before>

The leaves are the entries and journals of one seal after the other, in each seal's own order, in canonical form.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.audit.keys import PublicKey, Signer
from core.audit.merkle import Edge, cut
from core.errors import DeskError

ED25519 = b"\x01"
NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)\n"
    r"(?P<signatures>(?:\u2014 [^\s+]+ [A-Za-z0-9+/=]+\n)+)"
)


def origin(ledger: str) -> str:
    """The log's name in a note, and the key's."""
    return f"escrow-desk/{ledger}"


def key_id(name: str, public: PublicKey) -> bytes:
    """The four bytes that tell which key a signature claims to be of."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public.raw).digest()[:4]


def verifier_key(ledger: str, public: PublicKey) -> str:
    """The key as tools for signed notes take it."""
    name = origin(ledger)
    encoded = base64.b64encode(ED25519 + public.raw).decode()
    return f"{name}+{key_id(name, public).hex()}+{encoded}"


class NothingSigned(DeskError):
    """No checkpoint with a tree is signed yet. The worker signs one each second while there is something to seal; where
    this lasts, `escrow-desk doctor` says why."""


@dataclass(frozen=True)
class Note:
    """A signed note, taken apart; nothing is checked yet."""

    note: str
    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, note: str) -> Note:
        """Raises ValueError on anything that is not the signed note of a tree."""
        found = NOTE.fullmatch(note)
        if found is None:
            raise ValueError("no signed note of a tree")
        lines = (line.split(" ")[1:] for line in found["signatures"].splitlines())
        signatures = tuple((name, base64.b64decode(each, validate=True)) for name, each in lines)
        root = base64.b64decode(found["root"], validate=True)
        return cls(note, found["text"], found["origin"], int(found["size"]), root, signatures)

    def signed_by(self, public: PublicKey) -> bool:
        """Whether one of its signatures is this key's, under the log's own name."""
        wanted = key_id(self.origin, public)
        return any(
            name == self.origin and each[:4] == wanted and public.signed(self.text.encode(), each[4:])
            for name, each in self.signatures
        )


@dataclass(frozen=True)
class TreeHead:
    """The tree after one seal, as its checkpoint holds it. `edge` is what the next goes on from."""

    edge: Edge
    note: str

    def facts(self) -> dict[str, Any]:
        """As JSON knows it, within the line of the checkpoint."""
        return {"note": self.note, "edge": base64.b64encode(b"".join(self.edge.hashes)).decode()}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> TreeHead:
        """The other way round. Raises KeyError, TypeError or ValueError on anything else than `facts()`."""
        said = Note.of(facts["note"])
        joined = base64.b64decode(facts["edge"], validate=True)
        edge = Edge(said.size, tuple(cut(joined)))
        if edge.root != said.root:
            raise ValueError("the edge is not that of the tree in the note")
        return cls(edge, said.note)


def signed(edge: Edge, ledger: str, signer: Signer) -> TreeHead:
    """The head of this tree, signed."""
    name = origin(ledger)
    text = f"{name}\n{edge.size}\n{base64.b64encode(edge.root).decode()}\n"
    signature = key_id(name, signer.public) + signer.sign(text.encode())
    return TreeHead(edge, f"{text}\n\u2014 {name} {base64.b64encode(signature).decode()}\n")
