"""Another signing key: a deliberate act of a person, with an entry, signed by the key before wherever that is there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import checkpoints, keys
from core.audit.actions import AuditAction
from core.audit.entries import record
from core.audit.keys import PUBLIC_FILE, Signer
from core.audit.pinned_keys import Pin, ledger_name, pinned_signer, pins, statement
from core.audit.sealing import ONE_AT_A_TIME
from core.audit.seals import first_prev
from core.clock import utc
from core.db import Database, one_at_a_time
from core.errors import DeskError
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given

INSERT = text(
    "insert into signing_keys (n, public_key, pinned_at, after_seal, after_hash, by_itself, by_previous)"
    " values (:n, :public_key, :pinned_at, :after_seal, :after_hash, :by_itself, :by_previous)"
)


class NoKeyYet(DeskError):
    """This database pins no signing key yet; the first seal pins one. There is nothing to replace."""


class KeyNotLost(DeskError):
    """The pinned key is in {path}, so it is not lost. Without --lost it signs for the key that follows it."""


def rotate(
    owner: Database, actor: Actor, home: Path, *, now: datetime, reason: str, lost: bool = False
) -> tuple[Pin, Pin]:
    """Pin another key; the pin before and the new one. `owner` logs in as the owner of the tables.

    With `lost` nobody vouches for the new key, and every verifier who knows the one before is told so. Raises
    `SigningKeyMissing`, `SigningKeyOther`, `KeyNotLost`, `NoKeyYet`, `ReasonMissing`, `NotPermitted`.
    """
    require(actor, Permission.ROTATE_SIGNING_KEY)
    reason = given(reason)
    with owner.transaction() as session:
        one_at_a_time(session, ONE_AT_A_TIME)  # nobody seals meanwhile
        known = pins(session)
        if not known:
            raise NoKeyYet()
        before = _before(home, known, lost=lost)
        following = keys.make_next(home)
        pin = _pin(session, home, known[-1], following, before, now=now)
        record(
            session,
            actor,
            (AuditAction.SIGNING_KEY_REPLACE if lost else AuditAction.SIGNING_KEY_ROTATE).by(actor.kind),
            object_kind="signing_key",
            object_id=pin.n,
            now=now,
            reason=reason,
            before={"key": known[-1].fingerprint},
            after={"key": pin.fingerprint, "after_seal": pin.after_seal, "handed_over": before is not None},
        )
    keys.finish_rotation(home, pin.public)
    pin.public.write(home / "checkpoints" / PUBLIC_FILE)
    return known[-1], pin


def _before(home: Path, known: list[Pin], *, lost: bool) -> Signer | None:
    """The key that hands over, or None where it is lost."""
    try:
        found = pinned_signer(home, known)
    except DeskError:
        if not lost:
            raise
        return None
    if lost:
        raise KeyNotLost(path=keys.path_of(home))
    return found


def _pin(
    session: Session, home: Path, last: Pin, following: Signer, before: Signer | None, *, now: datetime
) -> Pin:
    ledger, folder = ledger_name(session), home / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    signed = checkpoints.last(folder, ledger)
    after, digest = (signed.n, signed.hash) if signed else (0, first_prev(ledger))
    at = utc(now)
    said = statement(ledger, last.n + 1, following.public, at, after, digest)
    by_previous = before.sign(said) if before else None
    pin = Pin(last.n + 1, following.public, at, after, digest, following.sign(said), by_previous)
    values = {
        name: getattr(pin, name) for name in ("n", "pinned_at", "after_seal", "after_hash", "by_itself")
    }
    session.execute(INSERT, values | {"public_key": pin.public.raw, "by_previous": by_previous})
    return pin
