"""The desk's signature over a case file, and the key that somebody who verifies it wants to see.

Signed are the bytes of the manifest, which holds the size and the SHA-256 of every other file. The key is the one that
signs checkpoints (`core.audit.keys`). A signature proves who made the file only to those who know the key: a forger has
a key too, so its fingerprint is always shown, and compared where there is something to compare it with.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.audit.keys import PublicKey, Signer, own_key
from core.case_file.check_helpers import Files, Wrong
from core.errors import DeskError

FORMAT = "escrow-desk/case-file/2"
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
# What the key signs elsewhere begins otherwise, so a signature can never be taken from there.
SIGNED_AS = b"escrow-desk case file 2\n"
FINGERPRINT = re.compile(r"[0-9a-f]{32}")


class SigningKeyUnread(DeskError):
    """“{given}” is neither a file with a public key nor a fingerprint such as ab12:cd34:… with 32 digits."""


def sign(manifest: bytes, signer: Signer) -> bytes:
    """The file with the signature and the public key that fits it."""
    return _written(signer.public, signer.sign(SIGNED_AS + manifest))


def _written(public: PublicKey, signature: bytes) -> bytes:
    data = {"algorithm": "Ed25519", "key": public.raw.hex(), "signature": signature.hex()}
    return json.dumps(data, indent=1).encode()


def signed_by(files: Files) -> PublicKey:
    """The key that made the signature. Raises `Wrong` where it is not over this manifest."""
    if SIGNATURE not in files:
        raise Wrong(f"it is not signed: {SIGNATURE} is missing")
    try:
        data = json.loads(files[SIGNATURE])
        signature = bytes.fromhex(data["signature"])
        public = PublicKey(Ed25519PublicKey.from_public_bytes(bytes.fromhex(data["key"])))
    except (ValueError, KeyError, TypeError):
        raise Wrong(f"{SIGNATURE} cannot be read") from None
    if files[SIGNATURE] != _written(public, signature):
        raise Wrong(f"{SIGNATURE} is not as the desk writes it")
    if not public.signed(SIGNED_AS + files[MANIFEST], signature):
        raise Wrong("the signature does not fit: the manifest was changed after it was signed")
    return public


def named_key(given: str) -> str:
    """The fingerprint that is meant, given as such or as a file with the public key. Raises `SigningKeyUnread`."""
    digits = re.sub(r"[\s:]", "", given).lower()
    if FINGERPRINT.fullmatch(digits):
        return ":".join(digits[at : at + 4] for at in range(0, 32, 4))
    try:
        public = PublicKey.read(Path(given))
    except (OSError, DeskError):
        public = None
    if public is None:
        raise SigningKeyUnread(given=given)
    return public.fingerprint


def key_of_this_desk(home: Path) -> str | None:
    """The fingerprint of the desk that lives here; None where there is no desk, or its key cannot be used."""
    try:
        public = own_key(home)
    except (OSError, DeskError):
        return None
    return public.fingerprint if public else None
