"""Everything that can be proved, proved once a night, or when somebody asks: the books, the record, the evidence store
and the case file of every decided case. The books alone every hour.

A worker claims the run by a lease and writes down what came of each part as it ends; case files one after the other. So
what a killed worker leaves is gone on with, and nothing is begun again that has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, case_file
from core.actions.platform import check_runs
from core.actions.platform.check_runs import UNDER_WAY
from core.audit import Trust, VerificationReport, outside_places
from core.audit.verification_report import Verdict
from core.db import is_away
from core.desk import Desk
from core.queries import invariants
from core.records import CheckRun, Decision
from core.rules.approvals import DecisionStatus
from core.rules.check_runs import (
    BOOKS_EVERY,
    LEASE,
    LISTED,
    TRIES,
    CheckPart,
    PartResult,
    last_night,
    read_result,
)
from core.rules.permissions import Actor

log = structlog.get_logger(__name__)

SAID_EVERY = 50
"""Case files between two words of how far it is."""
NOT_PROVED: Mapping[Verdict, str] = {
    "unsigned": "No seal is signed, so nothing outside the database proves the record: page Audit log.",
    "unknown_key": "This machine does not have the signing key, so the record is held against the key that the database"
    " names, which proves less: page Audit log.",
}
"""Where nothing is off and yet less is known than should be."""
Say = Callable[[CheckPart, int, int], None]


def sweep(desk: Desk) -> int:
    """Begin the run of the night or of the hour where it is due, and go on with those that nobody is at; how many were
    ended."""
    now = desk.clock()
    with desk.database.reading() as session:
        begun = select(
            func.max(CheckRun.started_at).filter(~CheckRun.books_only), func.max(CheckRun.started_at)
        )
        whole, any_ = session.execute(begun).one()
    if whole is None or whole < last_night(now):
        desk.database.run(lambda session: check_runs.begin(session, books_only=False, now=now))
    elif any_ < now - BOOKS_EVERY:
        desk.database.run(lambda session: check_runs.begin(session, books_only=True, now=now))
    with desk.database.reading() as session:
        due = list(
            session.scalars(
                select(CheckRun.id)
                .where(*UNDER_WAY, CheckRun.next_try_at <= now)
                .order_by(CheckRun.books_only.desc())
            )
        )
    return sum(carry_out(desk, each) for each in due)


def run_now(desk: Desk, actor: Actor, say: Say) -> int:
    """Ask for a run and make it here, unless a worker is at it; returns its number. Raises `NotPermitted`."""
    run_id = desk.database.run(lambda session: check_runs.request(session, actor, now=desk.clock()))
    carry_out(desk, run_id, say)
    return run_id


def carry_out(desk: Desk, run_id: int, say: Say | None = None) -> bool:
    """Every part that has not ended. False where another worker has it, or it was given up; what a part raises is
    logged, and the part is tried again once the lease is over."""
    claimed = desk.database.run(lambda session: _claim(session, run_id, now=desk.clock()))
    if claimed is None:
        return False
    books_only, stored = claimed
    try:
        for part, check in PARTS.items():
            if books_only and part is not CheckPart.BOOKS:
                continue
            before = read_result(part, stored[part]) if part in stored else _nothing(part)
            if before.ended_at is None:
                check(_Run(desk, run_id, part, say), before)
    except Exception as problem:
        if is_away(problem):
            raise
        log.exception("check_run.failed", run=run_id)
        return False
    desk.database.run(lambda session: check_runs.finish(session, _locked(session, run_id), now=desk.clock()))
    return True


def _claim(
    session: Session, run_id: int, *, now: datetime
) -> tuple[bool, Mapping[str, Mapping[str, object]]] | None:
    row = session.scalar(
        select(CheckRun)
        .where(CheckRun.id == run_id, *UNDER_WAY, CheckRun.next_try_at <= now)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    if row.tries >= TRIES:
        check_runs.give_up(session, row, now=now)
        return None
    row.tries += 1
    row.next_try_at = now + LEASE
    return row.books_only, dict(row.results)


def _locked(session: Session, run_id: int) -> CheckRun:
    return session.get_one(CheckRun, run_id, with_for_update=True)


def _nothing(part: CheckPart) -> PartResult:
    return PartResult(part, 0, 0, (), None)


class _Run:
    """One part of one run, and what is written down of it."""

    def __init__(self, desk: Desk, run_id: int, part: CheckPart, say: Say | None) -> None:
        self.desk, self.run_id, self.part, self.say = desk, run_id, part, say

    def progress(self, done: int, total: int) -> None:
        self._write(done, total)

    def found(self, *results: PartResult, done: int = 0, total: int = 0) -> None:
        self._write(done, total, *results)

    def ended(self, checked: int, wrong: list[str], *, more: int = 0) -> PartResult:
        return PartResult(self.part, checked, len(wrong) + more, tuple(wrong[:LISTED]), self.desk.clock())

    def _write(self, done: int, total: int, *results: PartResult) -> None:
        def write(session: Session) -> None:
            row = _locked(session, self.run_id)
            row.part, row.done, row.total = self.part, done, total
            row.results = {**row.results, **{each.part.value: each.as_json() for each in results}}
            row.next_try_at = self.desk.clock() + LEASE

        self.desk.database.run(write)
        if self.say:
            self.say(self.part, done, total)


def _books(run: _Run, before: PartResult) -> None:
    run.progress(0, 0)
    with run.desk.database.reading() as session:
        results = invariants.run(session)
    wrong = [f"{each.law} Failing rows: {each.count:,}." for each in results if not each.holds]
    rows = {each.name: each.count for each in results}
    run.found(replace(run.ended(len(results), wrong), rows=rows))


def _record(run: _Run, before: PartResult) -> None:
    """Log and ledger against their seals, and every file of evidence against its hash, in one verification."""
    desk, own = run.desk, audit.private_half(run.desk.settings.home)
    report = audit.verify(
        desk.auditor,
        desk.settings.home / "checkpoints",
        trust=Trust(own, "own") if own else Trust(),
        progress=run.progress,
        files=desk.evidence.get,
        outside=outside_places.readable(desk.settings),
        authority=outside_places.authority(desk.settings),
    )
    run.found(*_of_report(run, report))


def _of_report(run: _Run, report: VerificationReport) -> tuple[PartResult, PartResult]:
    files = [each.text for each in report.findings if each.kind == "file"]
    others = [each.text for each in report.findings if each.kind != "file"]
    weak = NOT_PROVED.get(report.verdict)
    record = run.ended(report.rows, [*others, *([weak] if weak else [])], more=report.more)
    evidence = replace(run.ended(report.files - report.files_erased, files), part=CheckPart.EVIDENCE)
    return record, evidence


def _case_files(run: _Run, before: PartResult) -> None:
    """From the case after the last that was looked at. A fault may quote what a person wrote, so only the case is
    named: whoever exports it reads the rest."""
    with run.desk.database.reading() as session:
        decided = select(Decision.case_id).where(Decision.status == DecisionStatus.EXECUTED).distinct()
        cases = list(
            session.scalars(decided.where(Decision.case_id > before.after).order_by(Decision.case_id))
        )
    total = before.checked + len(cases)
    for place, case_id in enumerate(cases, start=1):
        with run.desk.database.reading() as session:
            fault = case_file.fault_of(session, run.desk.evidence, case_id)
        before = _with_case(before, case_id, fault)
        if place % SAID_EVERY == 0:
            run.found(before, done=before.checked, total=total)
    run.found(replace(before, ended_at=run.desk.clock()), done=total, total=total)


def _with_case(so_far: PartResult, case_id: int, fault: str | None) -> PartResult:
    if fault is not None:
        log.error("check_run.case_file", case=case_id)
    words = (f"The case file of D-{case_id} does not verify: export it, and verify it to read why.",)
    return replace(
        so_far,
        checked=so_far.checked + 1,
        wrong=so_far.wrong + (fault is not None),
        first=so_far.first + words if fault is not None and len(so_far.first) < LISTED else so_far.first,
        after=case_id,
    )


PARTS: Mapping[CheckPart, Callable[[_Run, PartResult], None]] = {
    CheckPart.BOOKS: _books,
    CheckPart.RECORD: _record,
    CheckPart.CASE_FILES: _case_files,
}
