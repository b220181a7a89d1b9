"""Whether background work goes on: worker, webhooks, operations, e-mails, the audit record, reconciliation.

Work that waits longer than its limit (`core.policy.limits`) is named with its amount and age. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import checkpoints, outside
from core.audit.outside import Place, Standing
from core.audit.pinned_keys import key_trouble, ledger_name
from core.policy.limits import (
    CALL_LATE_AFTER,
    RECONCILED_WITHIN,
    REVIEW_WAITS,
    SEALED_WITHIN,
    WEBHOOK_LATE_AFTER,
    WORKER_SILENT_AFTER,
)
from core.policy.wording import exact_span
from core.queries import check_runs, client_funds, oldest_waiting, reconciliation, restores
from core.queries.check_runs import CheckRuns
from core.queries.letters import not_delivered
from core.rules.check_runs import CheckPart
from core.rules.client_funds import Cover
from core.rules.reconciliation import RunStatus, RunView

WORKER = text(
    "select count(*) filter (where last_heartbeat > now() - cast(:within as interval)) as alive, max(last_heartbeat)"
    " as last from procrastinate_workers"
)
WEBHOOKS = text(
    "select (select count(*) from webhook_events where status = 'RECEIVED' and next_try_at < :late) as late,"
    " (select count(*) from webhook_events where status = 'FAILED') as failed"
)
CALLS = text(
    "select (select count(*) from outgoing_operations where status in ('QUEUED', 'SENDING') and next_try_at < :late) as"
    " late, (select count(*) from outgoing_operations where status = 'REVIEW' and finished_at < :waits) as review"
)
UNSEALED = text(
    "select count(*), min(recorded_at) from entries_not_sealed() where recorded_at < now() - cast(:within as interval)"
)
UNSIGNED = text(
    "select count(*), min(sealed_at) from seals where n > :signed and sealed_at < now() - cast(:within as interval)"
)
RECONCILED = text(
    "select (select max(until) from reconciliation_runs where status in ('CLEAN', 'SUSPENSE', 'BREAKS')) as until,"
    " (select created_at from installation) as installed, last.status, last.error, last.started_at"
    " from (select null) one left join lateral"
    " (select * from reconciliation_runs where status <> 'RUNNING' order by id desc limit 1) last on true"
)
OUTSIDE: Mapping[str, str] = {
    "folder": "Checkpoints outside",
    "bucket": "Checkpoints in the bucket",
    "mail": "Checkpoints by mail",
    "timestamps": "Timestamps",
}
NO_PLACE = (
    "no place is set, so only the home has them: ESCROW_DESK_OUTSIDE_CHECKPOINTS, ESCROW_DESK_CHECKPOINT_BUCKET,"
    " ESCROW_DESK_CHECKPOINT_MAIL; ESCROW_DESK_TIMESTAMP_URL dates them"
)


@dataclass(frozen=True)
class BackgroundPart:
    """One part of the background work. `words`: its state, or what is wrong and what to do."""

    part: str
    ok: bool
    words: str


def states(
    session: Session, home: Path, *, now: datetime, places: Sequence[Place] = ()
) -> list[BackgroundPart]:
    """Every part, in the order in which a failure spreads. `places`: where checkpoints go besides the home."""
    found = list(_states(session, home, now))
    after = next(place for place, each in enumerate(found, start=1) if each.part == "Record")
    return [*found[:after], *checkpoints_outside(session, home, places, now=now), *found[after:]]


def checkpoints_outside(
    session: Session, home: Path, places: Sequence[Place], *, now: datetime
) -> list[BackgroundPart]:
    """Each place as the worker found it at its last look there."""
    if not places:
        return [BackgroundPart(OUTSIDE["folder"], True, NO_PLACE)]
    ledger = ledger_name(session)
    return [_outside(outside.standing(home / "checkpoints", ledger, each), each, now) for each in places]


def _outside(found: Standing, place: Place, now: datetime) -> BackgroundPart:
    behind = (
        f"{found.missing} not at {place.name} yet, the first of {_at(found.since)}" if found.since else ""
    )
    late = found.late(place.every, now)
    return _state(
        OUTSIDE[place.kind],
        [found.wrong, behind if late or found.wrong else ""],
        behind or f"all that are signed are at {place.name}",
    )


def _states(session: Session, home: Path, now: datetime) -> Iterator[BackgroundPart]:
    looks: tuple[Callable[[Session, Path, datetime], BackgroundPart], ...] = (
        _worker, _webhooks, _calls, _letters, _oldest, _record, _reconciliation, _client_funds, _nightly_check,
    )  # fmt: skip
    for look in looks:
        yield look(session, home, now)


def _worker(session: Session, home: Path, now: datetime) -> BackgroundPart:
    row = session.execute(WORKER, {"within": WORKER_SILENT_AFTER}).one()
    if row.alive:
        return BackgroundPart(
            "Worker", True, f"{row.alive} heard of in the last {WORKER_SILENT_AFTER.seconds} seconds"
        )
    since = f"the last was heard of at {_at(row.last)}" if row.last else "none has signed on"
    return BackgroundPart("Worker", False, f"none is alive, {since}: start `escrow-desk worker`")


def _webhooks(session: Session, home: Path, now: datetime) -> BackgroundPart:
    row = session.execute(WEBHOOKS, {"late": now - WEBHOOK_LATE_AFTER}).one()
    found = [
        f"{row.late} wait for longer than {exact_span(WEBHOOK_LATE_AFTER)}" if row.late else "",
        f"{row.failed} were given up: page Operations, Webhook inbox, Apply again" if row.failed else "",
    ]
    return _state("Webhooks", found, "all applied or in turn")


def _calls(session: Session, home: Path, now: datetime) -> BackgroundPart:
    row = session.execute(CALLS, {"late": now - CALL_LATE_AFTER, "waits": now - REVIEW_WAITS}).one()
    pause = restores.pause(session)
    found = [
        pause.words if pause else "",
        f"{row.late} should have been sent more than {exact_span(CALL_LATE_AFTER)} ago" if row.late else "",
        f"{row.review} wait for a person for longer than {exact_span(REVIEW_WAITS)}: page Operations"
        if row.review
        else "",
    ]
    return _state("Stripe requests", found, "all sent or in turn")


def _letters(session: Session, home: Path, now: datetime) -> BackgroundPart:
    found = not_delivered(session, now=now)
    wrong = f"{found.failed} given up, {found.late} late: see Operations, E-mails" if found else ""
    return _state("E-mails", [wrong], "none failed, none is late")


def _oldest(session: Session, home: Path, now: datetime) -> BackgroundPart:
    """The age of the oldest row of each kind, whether tried or not."""
    every = [each for each in oldest_waiting.oldest(session, now=now) if each.since]
    found = [
        f"an {each.work.label} has waited since {_at(each.since)}: page Operations says why"
        for each in every
        if each.too_old(now)
    ]
    well = ", ".join(f"{each.work.label} {_span(each.age(now))}" for each in every)
    return _state("Oldest waiting", found, well or "nothing waits")


def _record(session: Session, home: Path, now: datetime) -> BackgroundPart:
    """Sealed by the database and signed outside it, with the pinned key."""
    within = {"within": SEALED_WITHIN}
    trouble = key_trouble(session, home)
    unsealed, oldest = session.execute(UNSEALED, within).one()
    last = checkpoints.last(home / "checkpoints", ledger_name(session))
    unsigned, first = session.execute(UNSIGNED, within | {"signed": last.n if last else 0}).one()
    found = [
        trouble or "",
        f"{unsealed} entries are not sealed, the oldest of {_at(oldest)}" if unsealed else "",
        f"{unsigned} seals are not signed, the oldest of {_at(first)}" if unsigned else "",
    ]
    return _state("Record", found, "sealed and signed" if last else "nothing is signed yet")


def _reconciliation(session: Session, home: Path, now: datetime) -> BackgroundPart:
    row = session.execute(RECONCILED).one()
    standing = reconciliation.status(session)
    newest, compared = standing.newest, standing.compared
    told = row.until or row.installed
    old = told is not None and now - told > RECONCILED_WITHIN
    found = [
        f"the run of {_at(row.started_at)} failed: {row.error or 'it was interrupted'}"
        if row.status == RunStatus.FAILED
        else "",
        f"run {newest.reference} was broken off" if newest and newest.state == RunView.BROKEN_OFF else "",
        f"run {compared.reference} found {compared.breaks} that do not match: page Reconciliation"
        if compared and compared.state == RunStatus.BREAKS
        else "",
        f"the last statement that was compared ends at {_at(row.until)}" if old and row.until else "",
        f"no statement was ever compared, since {_at(row.installed)}" if old and not row.until else "",
    ]
    return _state(
        "Reconciliation", found, f"compared up to {_at(row.until)}" if row.until else "none is due yet"
    )


def _client_funds(session: Session, home: Path, now: datetime) -> BackgroundPart:
    """By Stripe's own balance as of the last reading; a reading that is old proves nothing."""
    every = client_funds.funds(session, now=now)
    found = []
    for each in every:
        if each.look and each.cover is Cover.SHORT:
            found.append(f"{each.look.short.text()} short at {_at(each.look.at)}: page Overview")
        elif each.stop:
            found.append(f"automatic payouts in {each.currency} have stopped: page Overview")
        elif each.cover is Cover.UNKNOWN and each.owed_now.is_positive:
            since = f"the last look was at {_at(each.look.at)}" if each.look else "nobody has looked yet"
            found.append(f"whether Stripe holds what is owed in {each.currency} is not known: {since}")
    return _state("Client funds", found, "covered" if every else "nothing is owed")


def _nightly_check(session: Session, home: Path, now: datetime) -> BackgroundPart:
    return nightly_check(check_runs.standing(session, now=now))


def nightly_check(standing: CheckRuns) -> BackgroundPart:
    """What the last run of every check found, and the last of the books alone, and whether one is missing."""
    last, finished, newest = standing.last, standing.finished, standing.books
    since = f" since {_at(standing.missed_since)}" if standing.missed_since else ""
    others = (
        sum(each.wrong for each in finished.results if each.part is not CheckPart.BOOKS) if finished else 0
    )
    books = newest and newest.of(CheckPart.BOOKS)
    found = [
        f"{books.wrong:,} of {books.checked:,} checks of the books failed in the run of {_at(newest.started_at)}: page"
        " Checks"
        if newest and books and books.wrong
        else "",
        f"the run of {_at(finished.started_at)} found {others:,} that are not as they should be: page Checks"
        if finished and others
        else "",
        f"the run of {_at(last.started_at)} was given up: {last.failure}" if last and last.failure else "",
        f"no run was finished{since}: is a worker running?" if since else "",
    ]
    well = f"all well in the run of {_at(finished.started_at)}" if finished else "none is due yet"
    return _state("Nightly check", found, well)


def _state(part: str, found: list[str], well: str) -> BackgroundPart:
    wrong = [each.rstrip(".") for each in found if each]
    return BackgroundPart(part, not wrong, "; ".join(wrong) or well)


def _span(age: timedelta) -> str:
    """In whole minutes, or seconds below one."""
    return exact_span(
        age - age % (timedelta(minutes=1) if age >= timedelta(minutes=1) else timedelta(seconds=1))
    )


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "no time at all"
