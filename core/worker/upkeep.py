"""What keeps the queue and the log in order while the worker runs: stalled jobs, old jobs, seals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from core.db import one_at_a_time
from core.desk import Desk
from core.errors import DeskError
from core.worker.tasks import EVERY_DAY
from core.worker.trouble import Trouble

if TYPE_CHECKING:
    from core.audit.outside import Place

log = structlog.get_logger("worker")

# A worker says every HEARTBEAT that it lives; one that was silent for DEAD_AFTER lost its jobs to the others.
HEARTBEAT = 4.0
DEAD_AFTER = 12.0
LOOK_FOR_STALLED = "* * * * * */5"
KEEP_FAILED_HOURS = 24 * 14
OUTSIDE_ONE_AT_A_TIME = "escrow-desk checkpoints outside"


def register(app: App) -> None:
    """Give `app` the tasks that look after its own queue."""

    @app.periodic(cron=LOOK_FOR_STALLED)
    @app.task(name="retry_stalled", queueing_lock="retry_stalled")
    async def retry_stalled(timestamp: int) -> None:
        """Jobs of a worker that died are run again by another."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
            try:
                await app.job_manager.retry_job(job)
            except (AlreadyEnqueued, ConnectorException):
                # The same sweep waits in the queue already.
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
            log.warning("job.taken_over", task=job.task_name, job=job.id)

    @app.periodic(cron=EVERY_DAY)
    @app.task(name="forget_old_jobs", queueing_lock="forget_old_jobs")
    async def forget_old_jobs(timestamp: int) -> None:
        await app.job_manager.delete_old_jobs(
            nb_hours=KEEP_FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )


def seal(desk: Desk) -> None:
    """Seal what was committed, and sign it outside the database. Without the key that is pinned nothing is signed."""
    from core.audit import sealing
    from core.audit.pinned_keys import desk_signer

    home, now = desk.settings.home, desk.clock()
    try:
        signer = desk_signer(desk.database, home, now=now)
    except DeskError:
        sealing.close(desk.database)
        raise
    sealing.seal(desk.database, signer, home / "checkpoints", now=now)


def publish(desk: Desk, place: Place) -> bool:
    """Write the signed checkpoints to one place outside. Sealing waits for none of it. False where it was not tried."""
    from core.audit import outside
    from core.audit.pinned_keys import ledger_name

    folder = desk.settings.home / "checkpoints"
    with desk.database.transaction() as turn:
        one_at_a_time(turn, f"{OUTSIDE_ONE_AT_A_TIME} {place.kind}")
        return outside.publish(folder, ledger_name(turn), place, now=desk.clock()) is not None


def each_second(work: Callable[[], object], stop: threading.Event, *, name: str) -> None:
    """Run `work` every second until `stop`, whatever goes wrong. It returns False where it did nothing at all."""
    trouble = Trouble(name)
    while not stop.wait(1.0):
        try:
            done = work()
        except Exception as error:
            trouble.met(error)
        else:
            if done is not False:
                trouble.over()
