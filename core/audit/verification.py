"""Verification: everything is computed again from the rows, and held against what was signed.

Found are altered, removed, inserted and truncated rows and seals, whoever did it and with whatever triggers switched
off, and the first of them is named. Not found can be what happened within the last second, before a seal; and what
someone did who holds the database, the checkpoint folder *and* the signing key. So copy checkpoints elsewhere. Whoever
has another signing key can write all of it again; only a verifier who knows the desk's fingerprint from elsewhere finds
that (`core.audit.key_trust`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from core.audit import content_comparison, row_comparison, sealed_rows
from core.audit.canonical import KINDS
from core.audit.content_hashes import Other
from core.audit.key_trust import FIRST_USE, Ring, Trust
from core.audit.outside import Readable, differing
from core.audit.pinned_keys import ledger_name, pins
from core.audit.rows_under_seal import FOREMOST
from core.audit.seal_history import Witness, history
from core.audit.sealed_rows import RunningTree, Span
from core.audit.seals import LAST_XID, Seal
from core.audit.timestamps import Authority, verified
from core.audit.verification_report import Finding, VerificationReport, counted_rows
from core.db import Database
from core.errors import DeskError
from core.gateways.evidence_keys import EvidenceErased
from core.policy.limits import SEALED_WITHIN

Progress = Callable[[int, int], None]
ReadFile = Callable[[int, str], bytes]  # by party and hash: `EvidenceStore.get`
LISTED = 100
WRONG = {
    "altered": "other_words",
    "removed": "words_gone",
    "unknown": "words_unknown",
    "derived": "words_underived",
    "misfit": "words_unplanned",
}
ANYWHERE = dict.fromkeys(KINDS, -(2**63))
SNAPSHOT = "set transaction isolation level repeatable read, read only"
LONG_AGO = text("select cast(:at as timestamptz) < now() - cast(:within as interval)")
PIECES = text("select id, uploaded_by, sha256 from public.evidence order by id")
TOTAL = text("select coalesce(sum(entries + journals + coalesce(changes, 0)), 0) from public.seals")
SAME_CLUSTER = text(
    "select system_identifier = (select system_identifier from pg_control_system())"
    " from public.seal_epochs order by epoch desc limit 1"
)


def verify(
    database: Database,
    folder: Path,
    *,
    trust: Trust = FIRST_USE,
    progress: Progress | None = None,
    files: ReadFile | None = None,
    outside: Sequence[Readable] = (),
    authority: Authority | None = None,
) -> VerificationReport:
    """Check the whole log and ledger against their seals and the checkpoints in `folder`. Changes nothing.

    `database` may log in as `auditor`. `trust` is the key that the verifier knows; without it the pinned one is taken
    as it is found, and the report says so. `files` reads a file of evidence, for its bytes to be held against the hash
    on record; without it none is read, and the report says that too. `outside`: places whose checkpoints are held
    against those in `folder`; `authority` is whose timestamps are believed.
    """
    with database.reading() as session:
        ring = Ring(ledger_name(session), pins(session), trust)
    witness = Witness.at(folder, ring)
    with _snapshot(database) as session:
        report = _Verification(session, witness, progress or (lambda done, total: None), files).report()
    beside = [found for place in outside for found in differing(folder, ring.ledger, place)]
    unread = {each.why for each in beside if each.wrong == "outside_unread"}
    stamped, refused = verified(folder, ring.ledger, authority) if authority else (None, [])
    findings = sorted([*report.findings, *beside, *refused], key=_place)
    return replace(
        report,
        findings=tuple(findings[:LISTED]),
        more=report.more + len(findings[LISTED:]),
        outside=() if unread else tuple(place.name for place in outside),
        stamped=stamped,
    )


class _Verification:
    """One run: what was counted so far and what was found."""

    def __init__(
        self, session: Session, witness: Witness, progress: Progress, files: ReadFile | None
    ) -> None:
        self.session, self.witness, self.progress, self.files = session, witness, progress, files
        self.afters = sealed_rows.afters(session)
        self.total = int(session.execute(TOTAL).scalar_one())
        self.findings: list[Finding] = []
        self.rows = self.seals = self.signed = self.more = 0
        self.read: int | None = None
        self.erased = 0
        self.tree = RunningTree()
        self.last: Seal | None = None
        self.unsigned_since: Seal | None = None

    def report(self) -> VerificationReport:
        spans = self._spans()
        while batch := list(sealed_rows.batch(spans)):
            self._find(sealed_rows.changed(self.session, batch, self.tree))
            self.rows += sum(span.seal.rows for span in batch)
            self.progress(self.rows, max(self.rows, self.total))
        if self.seals or self.witness.size or self.witness.ring.trust.fingerprint:
            self._find(self.witness.keys())
        open_rows = self._end()
        others, older = content_comparison.compare(self.session)
        self._find(_words(others))
        self._find(row_comparison.compare(self.session))
        saltless, erased = row_comparison.without_salt(self.session)
        self._find(iter(saltless))
        pieces = self.session.execute(PIECES).all()
        self._find(self._bytes(pieces))
        return VerificationReport(
            rows=self.rows,
            seals=self.seals,
            signed=self.signed,
            unsigned=self.seals - self.signed,
            open_rows=open_rows,
            older=older,
            erased=erased,
            taken_in=row_comparison.taken_in(self.session),
            files=len(pieces),
            files_read=self.read,
            files_erased=self.erased,
            findings=tuple(sorted(self.findings, key=_place)),
            more=self.more,
            pinned=self.witness.ring.pinned,
            trust=self.witness.ring.trust,
        )

    def _spans(self) -> Iterator[Span]:
        for one in history(self.session, self.witness):
            if one.seal and self.seals == 0 and self.witness.missing:
                self._find(iter([self.witness.missing]))
            self._find(iter(one.findings))
            if one.seal:
                self.seals, self.signed, self.last = self.seals + 1, self.signed + one.signed, one.seal
                self.unsigned_since = None if one.signed else self.unsigned_since or one.seal
                yield Span(one.seal, self._bounds(one.seal), one.head)

    def _bounds(self, seal: Seal) -> Mapping[str, tuple[int, int]]:
        afters = (seal.entries_after, seal.journals_after, seal.changes_after or 0)
        above = dict(zip(KINDS, afters, strict=True))
        if self.afters.get(seal.epoch) != above:
            self._find(iter([Finding("epoch", "epochs", id=seal.epoch)]))
        return sealed_rows.bounds(seal.epoch, self.afters | {seal.epoch: above})

    def _end(self) -> int:
        """How many rows lie behind the last seal: its epoch goes on, or a new one is open and nothing sealed in it."""
        hi = self.last.hi if self.last else 0
        epoch = (self.last.epoch if self.last else 1) + (hi == LAST_XID)
        if max(self.afters, default=0) != epoch:
            self._find(iter([Finding("epoch", "epochs", id=epoch)]))
        above = self.afters.get(epoch, ANYWHERE) if epoch > 1 else ANYWHERE
        self._find(self._left_unsigned())
        waiting = sealed_rows.still_open(self.session, hi, above)
        if self.session.execute(SAME_CLUSTER).scalar():
            self._find(sealed_rows.outside(self.session, above))
            self._find(sealed_rows.out_of_time(self.session, hi, above))
        elif waiting:
            self._find(iter([Finding("epoch", "elsewhere", id=epoch, why=counted_rows(waiting))]))
        return waiting

    def _bytes(self, pieces: Sequence[Row[Any]]) -> Iterator[Finding]:
        """Each file of evidence again; who was erased by right is counted."""
        if self.files is None:
            return
        self.read = 0
        for piece in pieces:
            try:
                self.files(piece.uploaded_by, piece.sha256)
                self.read += 1
            except EvidenceErased:
                self.erased += 1
            except DeskError as problem:
                yield Finding("file", "file", id=piece.id, why=problem.message)

    def _left_unsigned(self) -> Iterator[Finding]:
        """A seal is signed as it is made. Where the last ones are not, nobody signs, or the file was cut short."""
        first = self.unsigned_since
        if (
            first
            and self.signed
            and self.session.execute(LONG_AGO, {"at": first.sealed_at, "within": SEALED_WITHIN}).scalar()
        ):
            when = f"{first.sealed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
            yield Finding("seal", "not_signed", seal=first.n, why=when)

    def _find(self, findings: Iterator[Finding]) -> None:
        self.findings += islice(findings, LISTED - len(self.findings))
        self.more += sum(1 for _ in findings)


def _words(others: list[Other]) -> Iterator[Finding]:
    """The words that entries vouch for, as they are now."""
    for other in others:
        yield Finding("words", WRONG[other.how], id=other.entry, why=other.words)


def _place(finding: Finding) -> tuple[bool, bool, int, bool, bool]:
    """Findings stand in the order of the seals, what is wrong with a key first, and a row before its seal. Rows of
    other tables come last: they are held against changes that were found sealed, or named before; of them those about
    people, money and rights come first."""
    row = finding.kind == "row"
    return (
        row,
        row and finding.table not in FOREMOST,
        finding.seal or 0,
        finding.kind == "seal",
        finding.kind != "key",
    )


@contextmanager
def _snapshot(database: Database) -> Iterator[Session]:
    """One moment of the database, while others go on writing."""
    with database.reading() as session:
        session.execute(text(SNAPSHOT))
        sealed_rows.plan(session)
        yield session
