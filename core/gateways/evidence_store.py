"""Where the bytes of evidence lie: by content hash, encrypted under a key of the party who handed them in.

AES-256-GCM, a fresh nonce for each file, bound to party and hash: a file that is altered, truncated, swapped or moved
to another party does not open. Beside each original lie the forms it is shown in, encrypted the same way.

    evidence/<party>/<first two digits>/<sha256>             the original
    evidence/<party>/<first two digits>/<sha256>.<form>      a thumbnail, a page: made again when missing
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import DeskError
from core.gateways.evidence_keys import NONCE_BYTES, EvidenceErased, Keyring
from core.gateways.files import replace

MARK = b"EDE1"
SHA256 = re.compile(r"[0-9a-f]{64}")
FORM = re.compile(r"[a-z]+[0-9]*")


class EvidenceMissing(DeskError):
    """The file {short} is not in the evidence store. Restore it from the backup; its hash is on record."""


class EvidenceAltered(DeskError):
    """The file {short} in the evidence store is not what was submitted: it was altered or damaged. Do not rely on it.

    The bytes no longer match the hash on record, or no longer open under the party's key.
    """


class LegalRetention(DeskError):
    """The files of party {subject} must be kept: {reason}. Erase them when that has ended."""


class EvidenceStore:
    """`home`/evidence holds the files, `home`/keys the keys. Safe with several processes on one folder."""

    def __init__(self, home: Path, *, key: str = "") -> None:
        self.folder = home / "evidence"
        self.keys = Keyring(home / "keys", master=key)

    def put(self, subject: int, content: bytes) -> str:
        """Keep the bytes and return their sha256. The same bytes again change nothing. Raises `EvidenceErased`."""
        sha256 = hashlib.sha256(content).hexdigest()
        key = self.keys.key_for(subject, make=True)
        assert key is not None
        path = self._path(subject, sha256)
        if not path.exists() or _opened(path.read_bytes(), key, subject, sha256) != content:
            self._keep(subject, path, _sealed(content, key, subject, sha256))
        return sha256

    def get(self, subject: int, sha256: str) -> bytes:
        """The bytes as submitted. Raises `EvidenceErased`, `EvidenceMissing`, `EvidenceAltered`."""
        content = self._read(subject, sha256, sha256)
        if content is None:
            raise EvidenceMissing(short=sha256[:12])
        if hashlib.sha256(content).hexdigest() != sha256:
            raise EvidenceAltered(short=sha256[:12])
        return content

    def form(self, subject: int, sha256: str, name: str, make: Callable[[bytes], bytes]) -> bytes:
        """The form `name` (such as `thumbnail`, `page3`) of a file: kept, or made from the original and kept."""
        if not FORM.fullmatch(name):
            raise ValueError(f"not the name of a form: {name!r}")
        label = f"{sha256}.{name}"
        try:
            kept = self._read(subject, sha256, label)
        except EvidenceAltered:
            kept = None  # it can be made again; the original is what must not change
        if kept is not None:
            return kept
        made = make(self.get(subject, sha256))
        key = self.keys.key_for(subject, make=False)
        assert key is not None
        self._keep(subject, self._path(subject, sha256).with_name(label), _sealed(made, key, subject, label))
        return made

    def erase(self, subject: int, *, retention: str | None) -> None:
        """Destroy the party's key and files. `retention` is the reason to keep them, if there is one.

        Raises `LegalRetention`: a legal duty to keep wins over erasure. Doing it twice does no harm.
        """
        if retention is not None:
            raise LegalRetention(subject=subject, reason=retention)
        self.keys.destroy(subject)
        shutil.rmtree(self.folder / str(int(subject)), ignore_errors=True)

    def _keep(self, subject: int, path: Path, sealed: bytes) -> None:
        """Whoever erases the party meanwhile takes the folder away under this hand. Raises `EvidenceErased`."""
        try:
            replace(path, sealed)
        except FileNotFoundError:
            if self.keys.erased(subject):
                raise EvidenceErased(subject=subject) from None
            raise

    def _read(self, subject: int, sha256: str, label: str) -> bytes | None:
        key = self.keys.key_for(subject, make=False)
        path = self._path(subject, sha256).with_name(label)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            if self.keys.erased(subject):
                raise EvidenceErased(subject=subject) from None
            return None
        content = None if key is None else _opened(sealed, key, subject, label)
        if content is None:
            raise EvidenceAltered(short=sha256[:12])
        return content

    def _path(self, subject: int, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise EvidenceMissing(short=repr(sha256[:12]))
        return self.folder / str(int(subject)) / sha256[:2] / sha256


def _sealed(content: bytes, key: bytes, subject: int, label: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return MARK + nonce + AESGCM(key).encrypt(nonce, content, _bound(subject, label))


def _opened(sealed: bytes, key: bytes, subject: int, label: str) -> bytes | None:
    """The plain bytes, or None when they are not what was sealed under this key, party and label."""
    start = len(MARK) + NONCE_BYTES
    if sealed[: len(MARK)] != MARK or len(sealed) < start:
        return None
    try:
        return AESGCM(key).decrypt(sealed[len(MARK) : start], sealed[start:], _bound(subject, label))
    except (InvalidTag, ValueError):
        return None


def _bound(subject: int, label: str) -> bytes:
    return f"escrow-desk/evidence/{int(subject)}/{label}".encode()
