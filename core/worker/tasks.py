"""What the worker does, by name: nudges that actions wrote with `core.jobs.defer`, and sweeps by the clock.

A sweep takes up every row that is due, so that nothing waits for ever on a nudge that was lost. Whatever fails is
logged and left to the next sweep. Actions are imported when they are first needed: a worker starts quickly.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from procrastinate import App
from sqlalchemy import select

from core import jobs, logs
from core.desk import Desk
from core.errors import DeskError
from core.records import ReconciliationRun
from core.rules.reconciliation import RunStatus
from core.worker.trouble import Trouble, sentence

log = structlog.get_logger("worker")
_TELLING = threading.Semaphore(2)
_EXPORTING = threading.Semaphore(1)

Work = Callable[..., Any]

# Six fields: minute, hour, day, month, weekday, second. Sweeps of several workers do not pile up.
EVERY_5_SECONDS = "* * * * * */5"
EVERY_5_MINUTES = "*/5 * * * * 30"
EVERY_MINUTE = "* * * * * 0"
EVERY_HOUR = "7 * * * * 0"
EVERY_DAY = "37 3 * * * 0"


def register(app: App, desk: Desk) -> None:
    """Give `app` every task of this desk."""
    for name, work in (
        (jobs.DISPATCH, dispatch),
        (jobs.INBOX, inbox),
        (jobs.DELIVER, deliver),
        (jobs.EXPORT, export),
    ):
        app.task(name=name)(_logged(name, functools.partial(work, desk)))
    for name, cron, work in (
        ("sweep_dispatch", EVERY_5_SECONDS, sweep_dispatch),
        ("sweep_inbox", EVERY_5_SECONDS, sweep_inbox),
        ("sweep_letters", EVERY_5_SECONDS, deliver),
        ("look_at_client_funds", EVERY_5_MINUTES, look_at_client_funds),
        ("sweep_timers", EVERY_MINUTE, sweep_timers),
        ("sweep_events", EVERY_5_SECONDS, sweep_events_at_rest),
        ("sweep_exports", EVERY_5_SECONDS, sweep_exports),
        ("sweep_erased_files", EVERY_MINUTE, sweep_erased_files),
        ("enter_readings", EVERY_MINUTE, enter_readings),
        ("run_checks", EVERY_5_SECONDS, run_checks),
        ("forget_answers", EVERY_DAY, forget_answers),
        ("reconcile", EVERY_HOUR, reconcile),
        ("look_at_settlement", EVERY_MINUTE, look_at_settlement),
        ("look_at_payees", EVERY_5_MINUTES, look_at_payees),
    ):
        once = app.task(name=name, queueing_lock=name, lock=name if work in (reconcile, run_checks) else None)
        app.periodic(cron=cron)(once(_sweep(name, functools.partial(work, desk))))


def _logged(name: str, work: Work) -> Work:
    """One line when it fails, and the job is kept as failed for whoever looks."""

    def logged(**args: Any) -> None:
        try:
            with logs.about(job=name, **args):
                work(**args)
        except DeskError as error:
            log.warning("job.refused", task=name, reason=error.message, **args)
            raise
        except Exception as error:
            foreseen = sentence(error)
            log.error("job.failed", task=name, reason=foreseen, exc_info=None if foreseen else error, **args)
            raise

    return logged


def _sweep(name: str, work: Work) -> Work:
    """One line when it did something; the next sweep tries again, so no failed job is kept."""
    trouble = Trouble(name)

    def swept(timestamp: int) -> None:
        try:
            with logs.about(job=name):
                done = work()
        except Exception as error:
            trouble.met(error)
            return
        trouble.over()
        if done:
            log.info("sweep.done", sweep=name, count=done)

    return swept


def dispatch(desk: Desk, operation_id: int) -> None:
    from core.processes.outgoing import dispatch as sending

    sending.send(desk, operation_id)


def inbox(desk: Desk, event_id: str) -> None:
    from core.processes import webhook_processing as applying

    applying.apply(desk, event_id)


def deliver(desk: Desk) -> int:
    """Letters in batches, until none is due."""
    from core.processes.letter_delivery import deliver_due

    return sum(iter(lambda: deliver_due(desk), 0))


def export(desk: Desk, export_id: int) -> None:
    """One at a time in a worker, or files of hours would hold up payments; the others wait for the sweep."""
    from core.processes import exports

    if _EXPORTING.acquire(blocking=False):
        try:
            exports.make(desk, export_id)
        finally:
            _EXPORTING.release()


def sweep_exports(desk: Desk) -> int:
    from core.processes import exports

    if not _EXPORTING.acquire(blocking=False):
        return 0
    try:
        return exports.sweep(desk)
    finally:
        _EXPORTING.release()


def sweep_dispatch(desk: Desk) -> int:
    from core.processes.outgoing import dispatch as sending

    return sending.sweep(desk)


def sweep_inbox(desk: Desk) -> int:
    from core.processes import webhook_processing as applying

    return applying.sweep(desk)


def sweep_timers(desk: Desk) -> int:
    from core.processes import timers

    return timers.run_due(desk)


def sweep_events(desk: Desk, *, away: set[int] | None = None) -> int:
    """What marketplaces are told, until none is due. `away`: see `deliver_due`. It never takes up more than two of the
    jobs that a worker does at once, or whoever does not answer would hold up payments."""
    from core.api.webhooks.delivery import tell_all

    if not _TELLING.acquire(blocking=away is not None):
        return 0
    try:
        return tell_all(desk, away=set() if away is None else away)
    finally:
        _TELLING.release()


def sweep_events_at_rest(desk: Desk) -> int:
    """While a demo's time is moved, only whoever moves it tells the marketplaces, and passes over an endpoint that does
    not answer (`core.worker.moving_time`)."""
    from core.queries import demo_clock

    with desk.database.reading() as session:
        moving = desk.settings.demo and demo_clock.under_way(session) is not None
    return 0 if moving else sweep_events(desk)


def sweep_erased_files(desk: Desk) -> int:
    """What is left to do of erasures: keys of files, names in documents that the law keeps no longer."""
    from core.processes import erased_files

    return erased_files.sweep(desk)


def enter_readings(desk: Desk) -> int:
    """What colleagues read in each hour that is over."""
    from core.processes import readings

    return readings.sweep(desk)


def run_checks(desk: Desk) -> int:
    """Every check once a night, the books each hour, and either when somebody asks; one at a time in a worker."""
    from core.processes import check_runs

    return check_runs.sweep(desk)


def forget_answers(desk: Desk) -> int:
    """Answers of the API that nobody will ask for again."""
    from core.api.http.idempotency import forget_old

    return desk.database.run(lambda session: forget_old(session, now=desk.clock()))


def reconcile(desk: Desk) -> int:
    """Once for each day that is over, UTC (milestone-payment-flow, Performance Considerations 4).

    Asked every hour, so that a worker that slept through the night makes it good.
    """
    from core.processes import reconciliation as reconciling
    from core.rules.permissions import SYSTEM

    midnight = last_midnight(desk.clock())
    with desk.database.reading() as session:
        done = session.scalar(
            select(ReconciliationRun.id)
            .where(
                ReconciliationRun.until >= midnight,
                ReconciliationRun.status.in_((RunStatus.CLEAN, RunStatus.SUSPENSE, RunStatus.BREAKS)),
            )
            .limit(1)
        )
    if done:
        return 0
    reconciling.run(desk, SYSTEM, until=midnight)
    return 1


def look_at_client_funds(desk: Desk) -> int:
    """Whether Stripe's own balance covers what is owed to others; returns in how many currencies it does not."""
    from core.processes import client_funds

    return client_funds.read_balance(desk)


def look_at_settlement(desk: Desk) -> int:
    """Once an hour, and at once on a desk that has never looked."""
    from core.actions.funding import settlement_currency
    from core.processes import settlement_currency as reading

    with desk.database.reading() as session:
        due = settlement_currency.is_due(session, desk.clock())
    if due:
        reading.read(desk)
    return int(due)


def look_at_payees(desk: Desk) -> int:
    """Accounts of payees that were not read for a day."""
    from core.processes import payee_accounts

    return payee_accounts.read_due(desk)


def last_midnight(now: datetime) -> datetime:
    return now - timedelta(
        hours=now.hour, minutes=now.minute, seconds=now.second, microseconds=now.microsecond
    )
