"""Which key signs the record: pinned in the database when the desk begins, followed by others only by a deliberate act.

A pin is signed by the key itself. One that follows names the last seal that was signed before it, and is signed by the
key before it as well, unless that was lost. So whoever knows any of the keys can tell whether the next is the desk's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rfc8785
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import checkpoints, keys
from core.audit.keys import PublicKey, Signer
from core.audit.seals import first_prev
from core.clock import utc
from core.db import Database
from core.errors import DeskError

SIGNED_AS = b"escrow-desk signing key 1\n"
LEDGER = text("select ledger::text from seal_epochs where epoch = 1")
PINS = text(
    "select n, public_key, pinned_at, after_seal, after_hash, by_itself, by_previous from signing_keys order by n"
)
PIN_FIRST = text("select pin_first_signing_key(:public_key, :pinned_at, :after_hash, :by_itself)")


class SigningKeyMissing(DeskError):
    """The signing key {path} is gone; this database pins the key {pinned}. Nothing is signed until it is back.

    Restore it from its backup. If it is lost for good, `escrow-desk audit rotate-key --lost --reason …` pins another.
    """


class SigningKeyOther(DeskError):
    """{path} holds the key {found}; this database pins the key {pinned}. Nothing is signed with any other key.

    Put the pinned key back. If it is lost for good, `escrow-desk audit rotate-key --lost --reason …` pins another.
    """


class SignedAlready(DeskError):
    """{file} was signed with a key, and {path} is gone. Nothing is signed until it is back. Restore it from its backup.

    If it is lost for good, keep the checkpoint file elsewhere: a new key can be pinned, and vouches for nothing before.
    """


@dataclass(frozen=True)
class Pin:
    """One key, from which seal on it signs, and who vouches for it."""

    n: int
    public: PublicKey
    pinned_at: datetime
    after_seal: int
    after_hash: bytes
    by_itself: bytes
    by_previous: bytes | None

    @property
    def fingerprint(self) -> str:
        return self.public.fingerprint

    def statement(self, ledger: str) -> bytes:
        return statement(ledger, self.n, self.public, self.pinned_at, self.after_seal, self.after_hash)


def statement(
    ledger: str, n: int, public: PublicKey, pinned_at: datetime, after_seal: int, after_hash: bytes
) -> bytes:
    """What is signed: this key is the desk's from the seal after `after_seal` on."""
    facts: dict[str, Any] = {
        "ledger": ledger,
        "n": n,
        "public_key": public.raw.hex(),
        "pinned_at": pinned_at.astimezone(UTC).isoformat(),
        "after_seal": after_seal,
        "after_hash": after_hash.hex(),
    }
    return SIGNED_AS + rfc8785.dumps(facts)


def ledger_name(session: Session) -> str:
    """The name that the database drew when it was made; its checkpoint file bears it."""
    return str(session.execute(LEDGER).scalar_one())


def pins(session: Session) -> list[Pin]:
    """Every key that was pinned, the present one last. What is no key, because somebody altered it, is left out."""
    found = []
    for row in session.execute(PINS):
        if public := PublicKey.of(row.public_key):
            facts = (row.pinned_at, row.after_seal, row.after_hash, row.by_itself, row.by_previous)
            found.append(Pin(row.n, public, *facts))
    return found


def pin_first(session: Session, signer: Signer, *, now: datetime) -> bool:
    """Pin this key unless one is pinned already; whether it is the pinned one now."""
    ledger = ledger_name(session)
    at, begins = utc(now), first_prev(ledger)
    signature = signer.sign(statement(ledger, 1, signer.public, at, 0, begins))
    values = {"public_key": signer.public.raw, "pinned_at": at, "after_hash": begins, "by_itself": signature}
    return bytes(session.execute(PIN_FIRST, values).scalar_one()) == signer.public.raw


def desk_signer(database: Database, home: Path, *, now: datetime) -> Signer:
    """The desk's signing key. Made and pinned where none is pinned yet; never made in place of one that is.

    Raises `SigningKeyMissing`, `SigningKeyOther`, `SignedAlready`, `KeyUnusable`, `KeyTooOpen`.
    """
    with database.reading() as session:
        known, ledger = pins(session), ledger_name(session)
    if not known:
        _require_no_loss(home, ledger)
        first = keys.signer(home)
        with database.transaction() as session:
            if pin_first(session, first, now=now):
                return first
            known = pins(session)
    return pinned_signer(home, known)


def _require_no_loss(home: Path, ledger: str) -> None:
    """A desk that signed before keys were pinned must not lose its key on the way."""
    path, folder = keys.path_of(home), home / "checkpoints"
    if not path.exists() and checkpoints.last_line(folder, ledger):
        raise SignedAlready(path=path, file=checkpoints.file_of(folder, ledger))


def pinned_signer(home: Path, known: Sequence[Pin]) -> Signer:
    """The private half of the key that is pinned."""
    path, pinned = keys.path_of(home), known[-1]
    keys.finish_rotation(home, pinned.public)
    if not path.exists():
        raise SigningKeyMissing(path=path, pinned=pinned.fingerprint)
    found = keys.signer(home)
    if found.public.raw != pinned.public.raw:
        raise SigningKeyOther(path=path, found=found.public.fingerprint, pinned=pinned.fingerprint)
    return found


def key_trouble(session: Session, home: Path) -> str | None:
    """Why nothing can be signed here; None where all is well, or nothing was signed yet. Makes nothing."""
    known, path = pins(session), keys.path_of(home)
    try:
        if not known:
            _require_no_loss(home, ledger_name(session))
        elif keys.waits(home, known[-1].public):
            return None
        elif not path.exists():
            raise SigningKeyMissing(path=path, pinned=known[-1].fingerprint)
        elif (found := keys.read(path).public).raw != known[-1].public.raw:
            raise SigningKeyOther(path=path, found=found.fingerprint, pinned=known[-1].fingerprint)
    except DeskError as problem:
        return problem.message
    except OSError as problem:
        return f"{path} cannot be read: {problem.strerror or problem}."
    return None
