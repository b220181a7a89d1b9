"""Work for later, written down in the caller's own transaction: rolled back with it, committed with it.

A job is a nudge and never the truth. What is to be done stands in a row (an outgoing operation, a webhook event, a
notification), and the worker's sweeps find every row that is due, so a job that is lost, late or run twice changes
nothing but the delay. Only this module and `core.worker` know procrastinate.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import at_commit
from core.errors import DeskError, NotFound

if TYPE_CHECKING:
    from procrastinate import App

DISPATCH = "dispatch"
INBOX = "inbox"
DELIVER = "deliver"
EXPORT = "export"
TASKS = frozenset({DISPATCH, INBOX, DELIVER, EXPORT})


STATUSES = {"todo": "waiting", "doing": "running"}
FAILED = text(
    """
    select j.task_name, j.status::text as status, (
        select min(other.id) from procrastinate_jobs other
        where other.queueing_lock = j.queueing_lock and other.status = 'todo') as twin
    from procrastinate_jobs j where j.id = :id for update of j
    """
)


class UnknownTask(DeskError):
    """No worker knows a task called {task}."""


class JobNotFailed(DeskError):
    """Job {id} is {status}; only one that failed can be tried again."""


class JobQueuedAlready(DeskError):
    """Job {twin} waits already to do the same as job {id}."""


def defer(session: Session, task: str, *, at: datetime | None = None, **args: Any) -> None:
    """Have `task` run with `args` after this transaction commits, not before `at`.

    What one transaction defers costs one statement for each task and time. Does nothing where `session.info["jobs"]`
    is False: the simulation and the tests call the handlers themselves.
    """
    if task not in TASKS:
        raise UnknownTask(task=task)
    if session.info.get("jobs") is False:
        return
    at_commit(session, _write, (task, at, args))


def _write(session: Session, deferred: list[tuple[str, datetime | None, dict[str, Any]]]) -> None:
    connection = session.connection().connection.driver_connection
    for task, at in dict.fromkeys((task, at) for task, at, _ in deferred):
        queue = _queue().configure_task(task, schedule_at=at, connection=connection)
        queue.batch_defer(*(args for one, when, args in deferred if (one, when) == (task, at)))


@cache
def _queue() -> App:
    """Never opened: every job is written through the connection of the caller's transaction."""
    from procrastinate import App, SyncPsycopgConnector

    return App(connector=SyncPsycopgConnector())


def again(session: Session, job_id: int) -> str:
    """Queue a failed job again; returns its task. Raises `NotFound`, `JobNotFailed`, `JobQueuedAlready`."""
    from procrastinate import sql

    job = session.execute(FAILED, {"id": job_id}).one_or_none()
    if job is None:
        raise NotFound(kind="job", id=job_id)
    if job.status != "failed":
        raise JobNotFailed(id=job_id, status=STATUSES.get(job.status, job.status))
    if job.twin is not None:
        raise JobQueuedAlready(id=job_id, twin=job.twin)
    unchanged = {"retry_at": None, "new_priority": None, "new_queue_name": None, "new_lock": None}
    session.connection().exec_driver_sql(sql.queries["retry_job"], {"job_id": job_id, **unchanged})
    return str(job.task_name)
