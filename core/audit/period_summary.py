"""What is signed when a period is closed, and how it is verified away from the desk.

The facts are JSON (RFC 8785 when signed). The key is the one that signs checkpoints; a signature proves who closed the
period only to those who know the key, so its fingerprint is always shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from core.audit.keys import PublicKey, Signer

FORMAT = "escrow-desk/period/1"
# What the key signs elsewhere begins otherwise, so a signature can never be taken from there.
SIGNED_AS = b"escrow-desk period 1\n"


def signed(facts: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The facts with key and signature."""
    whole = {**facts, "format": FORMAT, "key": signer.public.raw.hex()}
    return whole | {"signature": signer.sign(SIGNED_AS + rfc8785.dumps(whole)).hex()}


def digest(summary: Mapping[str, Any]) -> str:
    """SHA-256 of the summary with its signature: the next summary names it."""
    return hashlib.sha256(rfc8785.dumps(dict(summary))).hexdigest()


def signer_of(summary: Mapping[str, Any]) -> PublicKey | None:
    """The key whose signature is over these facts; None where it is not, or where there is none."""
    facts = {name: value for name, value in summary.items() if name != "signature"}
    try:
        public = PublicKey.of(bytes.fromhex(facts["key"]))
        signature = bytes.fromhex(summary["signature"])
        whole = SIGNED_AS + rfc8785.dumps(facts)
    except (KeyError, TypeError, ValueError, rfc8785.CanonicalizationError):
        return None
    fits = public is not None and facts.get("format") == FORMAT and public.signed(whole, signature)
    return public if fits else None
