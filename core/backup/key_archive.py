"""The desk's keys in one file under a passphrase: scrypt, then AES-256-GCM over a tar of `keys/`.

The first line says, unencrypted, whose keys they are and how the passphrase became a key; it is bound to what follows.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from datetime import datetime
from pathlib import Path, PurePosixPath

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.errors import DeskError
from core.gateways.files import replace

FORMAT = "escrow-desk keys 1"
COST = {"n": 2**17, "r": 8, "p": 1}
MOST = 2**20  # of a cost that a file may ask for
SHORTEST = 12


class PassphraseMissing(DeskError):
    """The keys are kept under a passphrase: set ESCROW_DESK_BACKUP_PASSPHRASE, or name its file (--passphrase-file)."""


class PassphraseShort(DeskError):
    """The passphrase has {length} characters. Take {shortest} or more: it is all that guards the keys."""


class PassphraseWrong(DeskError):
    """{file} does not open: the passphrase is another, or the file was altered."""


class NoKeyArchive(DeskError):
    """{file} is no file of a desk's keys."""


def require_fit(passphrase: str) -> None:
    if not passphrase:
        raise PassphraseMissing()
    if len(passphrase) < SHORTEST:
        raise PassphraseShort(length=len(passphrase), shortest=SHORTEST)


def sealed(home: Path, passphrase: str, *, ledger: str, at: datetime) -> bytes:
    """Every file under `keys/`, encrypted. Raises `PassphraseMissing`, `PassphraseShort`."""
    require_fit(passphrase)
    salt, nonce = os.urandom(16), os.urandom(12)
    head = {
        "format": FORMAT,
        "ledger": ledger,
        "made_at": at.isoformat(),
        **COST,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
    }
    line = json.dumps(head).encode() + b"\n"
    return line + AESGCM(_key(passphrase, head)).encrypt(nonce, _packed(home / "keys"), line)


def opened(file: Path, passphrase: str) -> tuple[str, dict[str, bytes]]:
    """The ledger whose keys these are, and each file by its path under `keys/`. Raises `NoKeyArchive`,
    `PassphraseMissing`, `PassphraseWrong`."""
    if not passphrase:
        raise PassphraseMissing()
    line, _, body = file.read_bytes().partition(b"\n")
    try:
        head = json.loads(line)
        known = head["format"] == FORMAT and head["n"] <= MOST and (head["r"], head["p"]) == (8, 1)
        nonce, key = bytes.fromhex(head["nonce"]), _key(passphrase, head) if known else b""
    except (ValueError, TypeError, KeyError):
        raise NoKeyArchive(file=file) from None
    if not known:
        raise NoKeyArchive(file=file)
    try:
        packed = AESGCM(key).decrypt(nonce, body, line + b"\n")
    except (InvalidTag, ValueError):
        raise PassphraseWrong(file=file) from None
    return str(head["ledger"]), _unpacked(packed)


def put(home: Path, files: dict[str, bytes]) -> None:
    """Back into the home, for its owner only."""
    for name, content in files.items():
        replace(home / "keys" / name, content)


def _key(passphrase: str, head: dict[str, object]) -> bytes:
    n, r, p = (int(str(head[name])) for name in ("n", "r", "p"))
    return Scrypt(salt=bytes.fromhex(str(head["salt"])), length=32, n=n, r=r, p=p).derive(passphrase.encode())


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                content = path.read_bytes()
                member = tarfile.TarInfo(path.relative_to(folder).as_posix())
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _unpacked(packed: bytes) -> dict[str, bytes]:
    """Nothing outside of `keys/`, whoever made the file."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in tar:
            name, content = PurePosixPath(member.name), tar.extractfile(member)
            if content is not None and not name.is_absolute() and ".." not in name.parts:
                files[str(name)] = content.read()
    return files
