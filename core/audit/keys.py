"""The key that signs checkpoints, case files and exports: Ed25519, readable by the desk's own account only.

It lies apart from the database (`ESCROW_DESK_HOME/keys`), so that whoever can write the database cannot sign. Which key
it must be is pinned in the database (`pinned_keys`), and known to whoever verifies (`known_keys`). The public
half lies beside the checkpoints as well, for convenience; nobody believes it because of that.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from core.errors import DeskError
from core.gateways.files import disk_needed

KEY_FILE = "checkpoints.pem"
NEXT_FILE = "checkpoints.next.pem"
PUBLIC_FILE = "checkpoints.pub"


class KeyUnusable(DeskError):
    """{path} is not an Ed25519 key."""


class KeyTooOpen(DeskError):
    """{path} can be read by others than its owner: set its mode to 0600."""


@dataclass(frozen=True)
class PublicKey:
    """Tells whether a signature was made by the desk."""

    key: Ed25519PublicKey

    @property
    def raw(self) -> bytes:
        return self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def fingerprint(self) -> str:
        """What people compare: half of the SHA-256 of the key, `ab12:cd34:…`."""
        digits = hashlib.sha256(self.raw).hexdigest()[:32]
        return ":".join(digits[at : at + 4] for at in range(0, 32, 4))

    @classmethod
    def of(cls, raw: bytes) -> PublicKey | None:
        """The key with these 32 bytes; None for anything else."""
        try:
            return cls(Ed25519PublicKey.from_public_bytes(bytes(raw)))
        except ValueError:
            return None

    def signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @property
    def pem(self) -> bytes:
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def write(self, path: Path) -> None:
        """Whole or not at all: a part of a key would look like somebody's hand. Raises `DiskUnusable`."""
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
        with disk_needed():
            try:
                draft.write_bytes(self.pem)
                os.replace(draft, path)
            finally:
                draft.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path) -> PublicKey | None:
        """The key in the file, or None where there is no file. Otherwise `KeyUnusable`."""
        if not path.exists():
            return None
        try:
            key = load_pem_public_key(path.read_bytes())
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyUnusable(path=path)
        return cls(key)


@dataclass(frozen=True)
class Signer:
    """The private half."""

    key: Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.key.public_key())


def signer(home: Path) -> Signer:
    """The signing key under `home`, made when there is none. Raises `KeyUnusable`, `KeyTooOpen`.

    A desk asks `core.audit.pinned_keys.desk_signer`, which makes none in place of one that is pinned.
    """
    path = path_of(home)
    with disk_needed():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _make(path)
    return read(path)


def path_of(home: Path) -> Path:
    return home / "keys" / KEY_FILE


def read(path: Path) -> Signer:
    """The private key in this file. Raises `KeyUnusable`, `KeyTooOpen`."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeyTooOpen(path=path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(path=path)
    return Signer(key)


def own_key(home: Path) -> PublicKey | None:
    """The public half of the desk's key, where `home` is a desk's; nothing is made by asking."""
    if os.access(path_of(home), os.R_OK):
        return signer(home).public
    return PublicKey.read(home / "checkpoints" / PUBLIC_FILE)


def private_half(home: Path) -> str | None:
    """The fingerprint of the private key that lies here; a public one beside the checkpoints may be anybody's."""
    try:
        return read(path_of(home)).public.fingerprint
    except (DeskError, OSError):
        return None


def make_next(home: Path) -> Signer:
    """A key that is to follow the present one; it takes its place with `finish_rotation`, once it is pinned."""
    path = home / "keys" / NEXT_FILE
    with disk_needed():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    _make(path)
    return read(path)


def waits(home: Path, pinned: PublicKey) -> bool:
    """Whether the pinned key lies here as the next one, because a rotation was interrupted."""
    waiting = home / "keys" / NEXT_FILE
    return waiting.exists() and read(waiting).public.raw == pinned.raw


def finish_rotation(home: Path, pinned: PublicKey) -> None:
    """Put the next key in place, if it is the pinned one; the one before is kept under its fingerprint."""
    if not waits(home, pinned):
        return
    waiting, path = home / "keys" / NEXT_FILE, path_of(home)
    if path.exists():
        before = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        path.rename(path.with_name(f"checkpoints.retired-{before}.pem"))
    waiting.rename(path)


def _make(path: Path) -> None:
    """Whoever comes first makes the key; it appears whole or not at all."""
    draft = path.with_suffix(f".{secrets.token_hex(8)}")
    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with disk_needed():
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(made)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
