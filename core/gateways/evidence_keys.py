"""Keys of the evidence store: one for each party, each wrapped by one master key.

Destroying a party's key makes every file of theirs unreadable at once, in this store and in every copy of it that was
made without the key folder. A stone marks the place, so that the key is never made again.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import DeskError
from core.gateways.files import create_once, forget, private_folder

KEY_BYTES = 32
NONCE_BYTES = 12


class EvidenceKeyUnfit(DeskError):
    """The evidence key is not usable: {why}. It must be 32 bytes, as 64 hexadecimal digits or in base64."""


class EvidenceKeyWrong(DeskError):
    """The evidence key does not open the keys in {folder}. Set the key that this store was made with."""


class EvidenceKeyLost(DeskError):
    """The master key {path} is gone, and the store already holds files. Restore it from the backup."""


class EvidenceKeyExposed(DeskError):
    """Other users of this computer can read {path}. Run chmod 600 on it, and change the key if they may have."""


class EvidenceErased(DeskError):
    """The files of party {subject} were erased and cannot be read again. What the record says about them remains."""


class Keyring:
    """`folder`/evidence.key: the master key unless one is given; `folder`/evidence/<party>.key: the wrapped ones."""

    def __init__(self, folder: Path, *, master: str = "") -> None:
        self.folder = folder
        self._given = parse_key(master) if master else None

    def key_for(self, subject: int, *, make: bool) -> bytes | None:
        """The key of a party; None when there is none and `make` is false. Raises `EvidenceErased`."""
        self._refuse_erased(subject)
        path = self._path(subject)
        if not path.exists():
            if not make:
                return None
            nonce = os.urandom(NONCE_BYTES)
            wrapped = nonce + AESGCM(self._master()).encrypt(nonce, os.urandom(KEY_BYTES), _label(subject))
            create_once(path, wrapped)
            if self.erased(subject):  # erased by another process in this very moment
                forget(path)
        try:
            wrapped = path.read_bytes()
            return AESGCM(self._master()).decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _label(subject)
            )
        except (InvalidTag, ValueError, FileNotFoundError) as error:
            self._refuse_erased(subject)
            raise EvidenceKeyWrong(folder=str(self.folder)) from error

    def destroy(self, subject: int) -> None:
        """The key of a party, gone for good. Doing it twice does no harm."""
        create_once(self._stone(subject), b"")
        forget(self._path(subject))

    def erased(self, subject: int) -> bool:
        return self._stone(subject).exists()

    def stones(self) -> list[int]:
        """Everybody whose key was destroyed here."""
        return sorted(int(path.stem) for path in (self.folder / "evidence").glob("*.erased"))

    def _refuse_erased(self, subject: int) -> None:
        if self.erased(subject):
            raise EvidenceErased(subject=subject)

    def _master(self) -> bytes:
        if self._given is not None:
            return self._given
        path = self.folder / "evidence.key"
        if not path.exists():
            in_use = any((self.folder / "evidence").glob("*.key"))
            if in_use and not path.exists():  # asked again: another process may just have started the store
                raise EvidenceKeyLost(path=str(path))
            create_once(path, base64.b64encode(os.urandom(KEY_BYTES)))
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise EvidenceKeyExposed(path=str(path))
        return parse_key(path.read_text(encoding="ascii"))

    def _path(self, subject: int) -> Path:
        return private_folder(self.folder / "evidence") / f"{int(subject)}.key"

    def _stone(self, subject: int) -> Path:
        return private_folder(self.folder / "evidence") / f"{int(subject)}.erased"


def parse_key(text: str) -> bytes:
    """Raises `EvidenceKeyUnfit`."""
    text = text.strip()
    try:
        key = (
            bytes.fromhex(text)
            if re.fullmatch(r"[0-9a-fA-F]{64}", text)
            else base64.b64decode(text, validate=True)
        )
    except (binascii.Error, ValueError) as error:
        raise EvidenceKeyUnfit(why="it is neither hexadecimal nor base64") from error
    if len(key) != KEY_BYTES:
        raise EvidenceKeyUnfit(why=f"it has {len(key)} bytes")
    return key


def _label(subject: int) -> bytes:
    return f"escrow-desk/evidence/subject/{int(subject)}".encode()
