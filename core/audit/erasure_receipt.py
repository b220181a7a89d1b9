"""The receipt of an erasure: who, when, by whose approval, what was overwritten, what is kept and why; signed.

It is JSON (RFC 8785 when signed), by the key that signs checkpoints, and verified with no database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import rfc8785

from core.audit.keys import PublicKey, Signer
from core.errors import DeskError

FORMAT = "escrow-desk/erasure-receipt/1"
# What the key signs elsewhere begins otherwise, so a signature can never be taken from there.
SIGNED_AS = b"escrow-desk erasure receipt 1\n"


class NotAReceipt(DeskError):
    """{name} is not the receipt of an erasure ({why})."""


def signed(facts: Mapping[str, Any], signer: Signer) -> bytes:
    """The file: the facts with key and signature."""
    whole = {**facts, "format": FORMAT, "key": signer.public.raw.hex()}
    signature = signer.sign(SIGNED_AS + rfc8785.dumps(whole)).hex()
    return json.dumps(whole | {"signature": signature}, indent=2, ensure_ascii=False).encode() + b"\n"


def read(content: bytes, *, name: str) -> dict[str, Any]:
    """Raises `NotAReceipt`."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise NotAReceipt(name=name, why=f"it is no JSON: {problem}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise NotAReceipt(name=name, why="it is of another kind")
    return data


def signer_of(data: Mapping[str, Any]) -> PublicKey | None:
    """The key whose signature is over these facts; None where it is not."""
    facts = {name: value for name, value in data.items() if name != "signature"}
    try:
        public = PublicKey.of(bytes.fromhex(facts["key"]))
        signature = bytes.fromhex(data["signature"])
        whole = SIGNED_AS + rfc8785.dumps(facts)
    except (KeyError, TypeError, ValueError, rfc8785.CanonicalizationError):
        return None
    return public if public is not None and public.signed(whole, signature) else None
