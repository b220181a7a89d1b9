"""Sealing: close what is committed in the database, then sign it outside.

Run every second by the worker. Two at once wait for each other. A crash after the database committed and before the
checkpoint was written is made good by the next run; a transaction that stays open only delays the seals after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import checkpoints, sealed_rows
from core.audit.key_trust import FIRST_USE, Ring
from core.audit.keys import PUBLIC_FILE, KeyUnusable, PublicKey, Signer
from core.audit.merkle import Edge
from core.audit.pinned_keys import Pin, ledger_name, pin_first, pins
from core.audit.seal_reading import AT_ONCE, seals_after
from core.audit.seals import Seal, first_prev
from core.db import Database, one_at_a_time
from core.errors import DeskError

ONE_AT_A_TIME = "escrow-desk checkpoints"
SEAL = text("select seal_range(:rows)")
FULL = text("select entries + journals + changes >= :rows from seals where n = :n")
ROWS_A_SEAL = 100_000


class CheckpointsMissing(DeskError):
    """There are {seals} seals in the database and no checkpoints in {folder}.

    Signing them all now would vouch for a history that nobody watched. Put the checkpoint file back, or, when it is
    known why there is none, verify the log and seal once with `adopt`.
    """


class KeyNotPinned(DeskError):
    """This database pins the signing key {pinned}, and not {found}. Nothing was signed."""


class CheckpointsDisagree(DeskError):
    """Seal {n} in the database is not the one that was signed in {folder}. Nothing was signed: verify the log now."""


@dataclass(frozen=True)
class Sealed:
    """What one run did."""

    last_seal: int
    signed: int
    rows: int


def seal(database: Database, signer: Signer, folder: Path, *, now: datetime, adopt: bool = False) -> Sealed:
    """Seal all that is closed, and sign every seal that has no checkpoint in `folder` yet.

    `database` logs in as `app`. More than one seal without any checkpoint is not what a crash leaves behind: that needs
    `adopt`. Raises `KeyNotPinned`, `CheckpointsMissing`, `CheckpointsDisagree`; the seals in the database are made all
    the same.
    """
    _pin_the_first(database, signer, now=now)
    with database.transaction() as turn:
        one_at_a_time(turn, ONE_AT_A_TIME)
        ledger = ledger_name(turn)
        try:
            pinned = _require_pinned(turn, signer)
            last = _witnessed(turn, ledger, folder, adopt=adopt)
        except DeskError:
            close(database)
            raise
        pen = _Pen(turn, signer, folder, ledger, now, last)
        pen.sign()
        more = True
        while more:
            more = _close(database)
            pen.sign()  # one by one, so that a crash leaves one seal unsigned and no more
        if pen.n:
            _lay_beside(signer.public, folder, pinned)
        return Sealed(last_seal=pen.n, signed=pen.signed, rows=pen.rows)


class _Pen:
    """Signs the seals that follow the last checkpoint."""

    def __init__(
        self, session: Session, signer: Signer, folder: Path, ledger: str, now: datetime, last: Seal | None
    ) -> None:
        self.session, self.signer, self.folder, self.ledger, self.now = session, signer, folder, ledger, now
        self.n, self.prev = (last.n, last.hash) if last else (0, first_prev(ledger))
        self.edge: Edge | None = None  # looked up when something is to be signed
        self.signed = self.rows = 0

    def sign(self) -> None:
        while seals := seals_after(self.session, self.n):
            _require_unbroken(seals, self.prev, self.folder)
            checkpoints.append(self.folder, self.ledger, list(self._lines(seals)))
            self.n, self.prev = seals[-1].n, seals[-1].hash
            self.signed += len(seals)
            self.rows += sum(seal.rows for seal in seals)

    def _lines(self, seals: Sequence[Seal]) -> Iterator[bytes]:
        if self.edge is None:
            sealed_rows.plan(self.session)
            self.edge = _edge(self.session, self.ledger, self.folder)
        for seal in seals:
            self.edge = self.edge.after(sealed_rows.tree_leaves(self.session, [seal]))
            yield checkpoints.line(seal, self.ledger, self.signer, now=self.now, edge=self.edge)


def close(database: Database) -> None:
    """Seal in the database all that is closed, and sign nothing: what a desk without its key goes on doing."""
    while _close(database):
        pass


def _pin_the_first(database: Database, signer: Signer, *, now: datetime) -> None:
    """A desk that was made without a key of its own (a test, a bench) pins the one that seals first."""
    with database.reading() as session:
        if pins(session):
            return
    with database.transaction() as session:
        pin_first(session, signer, now=now)


def _lay_beside(public: PublicKey, folder: Path, pinned: Sequence[Pin]) -> None:
    """The public key, where there is none yet, or still the one before it, because a process died in between. Any other
    was laid there by a stranger, and verification says so."""
    path = folder / PUBLIC_FILE
    try:
        found = PublicKey.read(path)
    except KeyUnusable:
        return
    if found is None or found.raw in {each.public.raw for each in pinned[:-1]}:
        public.write(path)


def _require_pinned(session: Session, signer: Signer) -> Sequence[Pin]:
    """Every key that is pinned; the last is this one, or `KeyNotPinned`."""
    pinned = pins(session)
    if not pinned or pinned[-1].public.raw != signer.public.raw:
        named = pinned[-1].fingerprint if pinned else "none"
        raise KeyNotPinned(pinned=named, found=signer.public.fingerprint)
    return pinned


def _close(database: Database) -> bool:
    """Seal a range in a transaction of its own. True when there was more than goes under one seal."""
    with database.transaction() as session:
        n = session.execute(SEAL, {"rows": ROWS_A_SEAL}).scalar()
        return n is not None and bool(session.execute(FULL, {"n": n, "rows": ROWS_A_SEAL}).scalar_one())


def _witnessed(session: Session, ledger: str, folder: Path, *, adopt: bool) -> Seal | None:
    """The last checkpoint, provided that the database still holds that very seal."""
    last = checkpoints.last(folder, ledger)
    if last is None:
        waiting = len(seals_after(session, 0, limit=2))
        if waiting > 1 and not adopt:
            raise CheckpointsMissing(seals=waiting, folder=folder)
        return None
    found = seals_after(session, last.n - 1, limit=1)
    if not found or found[0] != last:
        raise CheckpointsDisagree(n=last.n, folder=folder)
    return last


def _edge(session: Session, ledger: str, folder: Path) -> Edge:
    """The edge of the tree that the last checkpoint signed. Where that has none, because it is of before there was a
    tree, or this desk did not sign it, the tree is made again of all rows up to there."""
    line = checkpoints.last_line(folder, ledger)
    if not line:
        return Edge()
    found = checkpoints.signed_line(line, ledger, Ring(ledger, pins(session), FIRST_USE).key_of)
    if found.head:
        return found.head.edge
    last, n, prev, edge = checkpoints.last(folder, ledger), 0, first_prev(ledger), Edge()
    while last and n < last.n:
        seals = seals_after(session, n, limit=min(AT_ONCE, last.n - n))
        if not seals:
            raise CheckpointsDisagree(n=last.n, folder=folder)
        _require_unbroken(seals, prev, folder)
        edge = edge.after(sealed_rows.tree_leaves(session, seals))
        n, prev = seals[-1].n, seals[-1].hash
    return edge


def _require_unbroken(seals: Sequence[Seal], prev: bytes, folder: Path) -> None:
    for one in seals:
        if one.prev != prev or one.hash != one.rehash():
            raise CheckpointsDisagree(n=one.n, folder=folder)
        prev = one.hash
