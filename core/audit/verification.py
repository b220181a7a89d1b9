"""Verification: everything is computed again from the rows, and held against what was signed.

Found are altered, removed, inserted and truncated rows and seals, whoever did it and with whatever triggers switched
off, and the first of them is named. Not found can be what happened within the last second, before a seal; and what
someone did who holds the database, the checkpoint folder *and* the signing key. So copy checkpoints elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import rows
from core.audit.canonical import KINDS
from core.audit.history import Witness, history
from core.audit.keys import PublicKey
from core.audit.report import Finding, Report
from core.audit.rows import NO_END, Span
from core.audit.sealing import ledger_name
from core.audit.seals import LAST_XID, Seal
from core.db import Database

Progress = Callable[[int, int], None]
LISTED = 100
ANYWHERE = dict.fromkeys(KINDS, -(2**63))
ROWS_AT_ONCE, SEALS_AT_ONCE = 40_000, 1_000
# An honest plan reads each seal's rows through the index on their transaction.
SNAPSHOT = "set transaction isolation level repeatable read, read only"
PLANS = "set local enable_seqscan = off; set local jit = off; set local search_path = pg_catalog, public"
EPOCHS = text("select epoch, entries_after, journals_after from public.seal_epochs order by epoch")
TOTAL = text("select coalesce(sum(entries + journals), 0) from public.seals")
SAME_CLUSTER = text(
    "select system_identifier = (select system_identifier from pg_control_system())"
    " from public.seal_epochs order by epoch desc limit 1"
)


def verify(
    database: Database, folder: Path, *, public: PublicKey | None = None, progress: Progress | None = None
) -> Report:
    """Check the whole log and ledger against their seals and the checkpoints in `folder`. Changes nothing.

    `database` may log in as `auditor`. `public` is the auditor's own copy of the key; without it the copy beside the
    checkpoints is believed. Raises `KeyUnusable`.
    """
    with database.reading() as session:
        ledger = ledger_name(session)
    witness = Witness.at(folder, ledger, public)
    with _snapshot(database) as session:
        return _Verification(session, witness, progress or (lambda done, total: None)).report()


class _Verification:
    """One run: what was counted so far and what was found."""

    def __init__(self, session: Session, witness: Witness, progress: Progress) -> None:
        self.session, self.witness, self.progress = session, witness, progress
        self.afters = {epoch: dict(zip(KINDS, ids, strict=True)) for epoch, *ids in session.execute(EPOCHS)}
        self.total = int(session.execute(TOTAL).scalar_one())
        self.findings: list[Finding] = []
        self.rows = self.seals = self.signed = self.more = 0
        self.last: Seal | None = None

    def report(self) -> Report:
        spans = self._spans()
        while batch := list(_batch(spans)):
            self._find(rows.changed(self.session, batch))
            self.rows += sum(span.seal.rows for span in batch)
            self.progress(self.rows, max(self.rows, self.total))
        open_rows = self._end()
        return Report(
            rows=self.rows,
            seals=self.seals,
            signed=self.signed,
            unsigned=self.seals - self.signed,
            open_rows=open_rows,
            findings=tuple(sorted(self.findings, key=_place)),
            more=self.more,
        )

    def _spans(self) -> Iterator[Span]:
        for one in history(self.session, self.witness):
            if one.seal and self.seals == 0 and self.witness.missing:
                self._find(iter([self.witness.missing]))
            self._find(iter(one.findings))
            if one.seal:
                self.seals, self.signed, self.last = self.seals + 1, self.signed + one.signed, one.seal
                yield Span(one.seal, self._bounds(one.seal))

    def _bounds(self, seal: Seal) -> Mapping[str, tuple[int, int]]:
        above = dict(zip(KINDS, (seal.entries_after, seal.journals_after), strict=True))
        if self.afters.get(seal.epoch) != above:
            self._find(iter([Finding("epoch", "epochs", id=seal.epoch)]))
        start = above if seal.epoch > 1 else ANYWHERE
        up_to = self.afters.get(seal.epoch + 1, {})
        return {kind: (start[kind], up_to.get(kind, NO_END)) for kind in KINDS}

    def _end(self) -> int:
        """How many rows lie behind the last seal: its epoch goes on, or a new one is open and nothing sealed in it."""
        hi = self.last.hi if self.last else 0
        epoch = (self.last.epoch if self.last else 1) + (hi == LAST_XID)
        if max(self.afters, default=0) != epoch:
            self._find(iter([Finding("epoch", "epochs", id=epoch)]))
        above = self.afters.get(epoch, ANYWHERE) if epoch > 1 else ANYWHERE
        if self.session.execute(SAME_CLUSTER).scalar():
            self._find(rows.outside(self.session, above))
        return rows.still_open(self.session, hi, above)

    def _find(self, findings: Iterator[Finding]) -> None:
        self.findings += islice(findings, LISTED - len(self.findings))
        self.more += sum(1 for _ in findings)


def _place(finding: Finding) -> tuple[int, bool]:
    """Findings stand in the order of the seals, and a row before the seal that it lies in."""
    return finding.seal or 0, finding.kind == "seal"


def _batch(spans: Iterator[Span]) -> Iterator[Span]:
    """As many seals as are read in one query."""
    count = 0
    for span in islice(spans, SEALS_AT_ONCE):
        yield span
        count += span.seal.rows
        if count >= ROWS_AT_ONCE:
            return


@contextmanager
def _snapshot(database: Database) -> Iterator[Session]:
    """One moment of the database, while others go on writing."""
    with database.reading() as session:
        session.execute(text(SNAPSHOT))
        for statement in PLANS.split("; "):
            session.execute(text(statement))
        yield session
