"""Who works, and on what: workers by their last sign, processes at the database, jobs that wait, run or have failed.

Workers, jobs and connections are dated by the database's own clock, which a demo's time runs ahead of. So an age is
read there, and every time here is the desk's: its present time less that age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import jobs
from core.db import NEWEST
from core.errors import NotFound
from core.policy.limits import WORKER_SILENT_AFTER


class WorkerState(StrEnum):
    ALIVE = "ALIVE"
    SILENT = "SILENT"


@dataclass(frozen=True)
class Worker:
    """A worker that has signed on and not off. `doing`: the tasks of its jobs under way, the first begun at
    `busy_since`."""

    id: int
    last_sign: datetime
    state: WorkerState
    doing: Sequence[str]
    busy_since: datetime | None


WORKERS = text(
    """
    select w.id, cast(:now as timestamptz) - (now() - w.last_heartbeat) as last_sign,
           coalesce(array_agg(j.task_name order by j.id) filter (where j.id is not null), '{}') as doing,
           cast(:now as timestamptz) - (now() - min(begun.at)) as busy_since
    from procrastinate_workers w
    left join procrastinate_jobs j on j.worker_id = w.id and j.status = 'doing'
    left join lateral (
        select max(e.at) as at from procrastinate_events e where e.job_id = j.id and e.type = 'started'
    ) begun on true
    group by w.id order by w.last_heartbeat desc, w.id
    """
)


def workers(session: Session, *, now: datetime) -> list[Worker]:
    """Whoever gave a sign last stands first."""
    return [
        Worker(
            **row,
            state=WorkerState.SILENT if now - row["last_sign"] > WORKER_SILENT_AFTER else WorkerState.ALIVE,
        )
        for row in session.execute(WORKERS, {"now": now}).mappings()
    ]


@dataclass(frozen=True)
class Process:
    """A process of this desk that is connected to the database now, as it names itself (`core.db.application_name`).
    `connected_since`: its oldest connection; `last_statement`: when one last began or ended; `busy`: connections within
    a statement or transaction."""

    part: str
    machine: str
    process: str
    connections: int
    busy: int
    connected_since: datetime
    last_statement: datetime

    @property
    def id(self) -> str:
        return f"{self.part} {self.machine} {self.process}"


# Others' logins are left out: of them this one may not know since when they are connected.
PROCESSES = text(
    """
    select split_part(a.application_name, ' ', 2) as part, split_part(a.application_name, ' ', 3) as machine,
           split_part(a.application_name, ' ', 4) as process, count(*) as connections,
           count(*) filter (where a.state <> 'idle') as busy,
           cast(:now as timestamptz) - (now() - min(a.backend_start)) as connected_since,
           cast(:now as timestamptz) - (now() - max(a.state_change)) as last_statement
    from pg_stat_activity a
    where a.datname = current_database() and a.usename = current_user
      and a.application_name like 'escrow-desk % % %' and a.backend_start is not null
    group by a.application_name order by 1, 2, 3
    """
)


def processes(session: Session, *, now: datetime) -> list[Process]:
    """By part (api, dashboard, worker …), machine and number of the process."""
    return [Process(**row) for row in session.execute(PROCESSES, {"now": now}).mappings()]


@dataclass(frozen=True)
class JobCount:
    """The jobs of one task: `waiting` for a worker now, `later` at their time, `running`, `failed`.
    `waits_since`: that of those that wait which was written first."""

    queue: str
    task: str
    waiting: int
    later: int
    running: int
    failed: int
    waits_since: datetime | None

    @property
    def id(self) -> str:
        return f"{self.queue} {self.task}"


COUNTS = text(
    """
    select c.queue, c.task, c.waiting, c.later, c.running, c.failed,
           cast(:now as timestamptz)
               - (now() - greatest(j.scheduled_at, written.at)) as waits_since
    from (
        select queue_name as queue, task_name as task,
               count(*) filter (where status = 'todo' and coalesce(scheduled_at, now()) <= now()) as waiting,
               count(*) filter (where status = 'todo' and scheduled_at > now()) as later,
               count(*) filter (where status = 'doing') as running,
               count(*) filter (where status = 'failed') as failed,
               min(id) filter (where status = 'todo' and coalesce(scheduled_at, now()) <= now()) as first
        from procrastinate_jobs group by 1, 2
    ) c
    left join procrastinate_jobs j on j.id = c.first
    left join lateral (
        select max(e.at) as at from procrastinate_events e
        where e.job_id = c.first and e.type in ('deferred', 'deferred_for_retry', 'retried')
    ) written on true
    where c.waiting + c.later + c.running + c.failed > 0
    order by c.queue, c.task
    """
)


def counts(session: Session, *, now: datetime) -> list[JobCount]:
    """By queue and task; what succeeded is not kept."""
    return [JobCount(**row) for row in session.execute(COUNTS, {"now": now}).mappings()]


@dataclass(frozen=True)
class FailedJob:
    """A job that ended with an error. `tries`: how often a worker has begun it; `failed_at` is None where that was not
    kept. `reason`: what its operation, event or export says of it now; None where it says nothing."""

    id: int
    task: str
    queue: str
    args: Mapping[str, Any]
    tries: int
    failed_at: datetime | None
    reason: str | None

    @property
    def about(self) -> str:
        """`operation 17`, `event evt_…`, `export 3`; empty where it is about nothing in particular."""
        return " ".join(f"{name.removesuffix('_id')} {number}" for name, number in self.args.items())


FAILED = """
with page as materialized (
    select * from procrastinate_jobs where status = 'failed' and {where} order by id desc limit :limit
)
select j.id, j.task_name as task, j.queue_name as queue, j.args, ended.tries,
       cast(:now as timestamptz) - (now() - ended.at) as failed_at,
       coalesce(o.last_error, w.error, x.failure) as reason
from page j
left join lateral (
    select max(e.at) filter (where e.type = 'failed') as at, count(*) filter (where e.type = 'started') as tries
    from procrastinate_events e where e.job_id = j.id
) ended on true
left join outgoing_operations o on j.task_name = :dispatch and o.id = (j.args ->> 'operation_id')::bigint
left join webhook_events w on j.task_name = :inbox and w.id = j.args ->> 'event_id'
left join exports x on j.task_name = :export and x.id = (j.args ->> 'export_id')::bigint
order by j.id desc
"""
TASKS = {"dispatch": jobs.DISPATCH, "inbox": jobs.INBOX, "export": jobs.EXPORT}


def failed(
    session: Session, *, now: datetime, task: str | None = None, before: int | None = None, limit: int = 51
) -> list[FailedJob]:
    """Newest first."""
    where = "id < :before" + (" and task_name = :task" if task else "")
    values = {**TASKS, "now": now, "task": task, "before": before or NEWEST, "limit": limit}
    rows = session.execute(text(FAILED.format(where=where)), values).mappings()
    return [FailedJob(**row) for row in rows]


def failed_job(session: Session, job_id: int, *, now: datetime) -> FailedJob:
    """Raises `NotFound`, also where it has not failed, or was tried again meanwhile."""
    values = {**TASKS, "now": now, "id": job_id, "limit": 1}
    row = session.execute(text(FAILED.format(where="id = :id")), values).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="failed job", id=job_id)
    return FailedJob(**row)
