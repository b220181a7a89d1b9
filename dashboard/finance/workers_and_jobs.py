"""Who works, and on what, on screen: workers, processes at the database, the replica, jobs, and those that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import jobs
from core.actions.operations import job_retry
from core.clock import Clock
from core.policy.limits import WORKER_SILENT_AFTER
from core.queries import workers as queries
from core.queries.workers import FailedJob, Worker, WorkerState
from core.replica import behind
from core.rules.evidence import in_words as of_bytes
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, deadlines, filters, header, reasons, tables, text_fields
from dashboard.ui.master_detail import Listing
from dashboard.ui.safe import plain
from dashboard.ui.status import in_words

TASKS = {
    jobs.DISPATCH: "Send a request to Stripe",
    jobs.INBOX: "Apply an event of Stripe",
    jobs.DELIVER: "Send e-mails",
    jobs.EXPORT: "Make an export",
}
WORKERS = [
    tables.mono("id", "Worker", width=80),
    tables.status("state", "Status", axis="worker", width=90),
    tables.when("last_sign", "Last sign", width=160, seconds=True),
    tables.text("doing", "Does now", value=lambda row: ", ".join(map(task, row.doing)) or "—"),
    tables.when("busy_since", "Since", width=160, seconds=True),
]
PROCESSES = [
    tables.text("part", "Part", value=lambda row: in_words(row.part), width=110),
    tables.mono("machine", "Machine", width=180),
    tables.mono("process", "Process", width=90),
    tables.when("connected_since", "Connected since", width=160, seconds=True),
    tables.when("last_statement", "Last statement", width=160, seconds=True),
    tables.count("busy", "Busy", width=60, help="Connections within a statement or transaction just now."),
    tables.count("connections", "Connections", width=100),
]
COUNTS = [
    tables.text("task", "Task", value=lambda row: task(row.task)),
    tables.count("waiting", "Waiting", width=80, help="For a worker that is free."),
    tables.when("waits_since", "Oldest since", width=160, seconds=True),
    tables.count("later", "Later", width=70, help="At their time."),
    tables.count("running", "Running", width=80),
    tables.count("failed", "Failed", width=70),
    tables.text("queue", "Queue", width=90),
]
FAILED = [
    tables.mono("id", "Job", width=80),
    tables.text("task", "Task", value=lambda row: task(row.task), width=190),
    tables.text("about", "About", value=lambda row: row.about or "—", width=190),
    tables.when("failed_at", "Failed", width=150),
    tables.count("tries", "Tries", width=60),
    tables.text("reason", "Reason", value=lambda row: row.reason or "—"),
]
NO_REASON = "The queue keeps no error, and what the job is about says none: the worker's log has it."


def task(name: str) -> str:
    """A job's task in words."""
    return TASKS.get(name, in_words(name))


def tab(now: datetime) -> None:
    """The tab. Its files are read at the desk's time of then."""
    clock = request_context.desk().clock
    with request_context.reading() as session:
        workers = queries.workers(session, now=now)
        processes = queries.processes(session, now=now)
        counts = queries.counts(session, now=now)
    _alarm(workers)
    header.section("Workers", "each gives a sign every four seconds")
    none = ("No worker has signed on", "Start one: escrow-desk worker. Until then what is to be sent waits.")
    _whole("workers", workers, WORKERS, lambda session: queries.workers(session, now=clock()), none)
    header.section("Processes", "connected to the database now, as they name themselves")
    none = ("No process of this desk names itself", "They do once they run this version.")
    _whole("processes", processes, PROCESSES, lambda session: queries.processes(session, now=clock()), none)
    header.section("Replica")
    _replica()
    header.section("Jobs", "what succeeded is not kept")
    none = ("No jobs", "Actions write them, and the workers' own clock does every few seconds.")
    _whole("jobs", counts, COUNTS, lambda session: queries.counts(session, now=clock()), none)
    _failed(now, clock)


def _failed(now: datetime, clock: Clock) -> None:
    header.section("Failed jobs", "kept for two weeks")
    with filters.bar():
        chosen = filters.one_of("Every task", TASKS, key="task", width=230)
    cursor = tables.cursor("job-before", size=50)
    with request_context.reading() as session:
        failed = queries.failed(session, now=now, task=chosen, before=cursor.before, limit=cursor.limit)
    Listing(
        key="failed-jobs",
        name="Failed jobs, newest first",
        columns=FAILED,
        first=3,
        page=lambda session, *, before, limit: queries.failed(
            session, now=clock(), task=chosen, before=before, limit=limit
        ),
        file=FAILED,
        empty_state=None if chosen else ("No job failed", "One that ends with an error is listed here."),
        param="job",
        filter={"task": chosen},
    ).show(failed, cursor, lambda session, number: queries.failed_job(session, number, now=now), _job)


def _whole(
    name: str,
    rows: Sequence[Any],
    columns: Sequence[tables.Column],
    every: Callable[[Session], Sequence[Any]],
    none: tuple[str, str],
) -> None:
    download = tables.Table(name, every)
    tables.table(rows, columns, key=name, download=download, name=in_words(name), empty_state=none)


def _alarm(workers: Sequence[Worker]) -> None:
    """Where nobody works; a single one that is silent stands in the table as such."""
    if any(each.state is WorkerState.ALIVE for each in workers):
        return
    last = f"The last sign was at {deadlines.exact(workers[0].last_sign)}. " if workers else ""
    within = int(WORKER_SILENT_AFTER.total_seconds())
    st.error(
        f"**No worker has given a sign for {within} seconds.** {plain(last)}Start one: `escrow-desk worker`.",
        icon=":material/heart_broken:",
    )


def _replica() -> None:
    desk = request_context.desk()
    if desk.replica is None:
        cards.note("None is set (DATABASE_REPLICA_URL): the primary serves all reads.")
        return
    try:
        missing = behind(desk.auditor, desk.replica)
    except SQLAlchemyError:
        st.warning(
            "The replica does not answer. The primary serves its reads meanwhile; look at its log and its disk.",
            icon=":material/cloud_off:",
        )
        return
    cards.note(
        f"It answers, and has not replayed the last {of_bytes(missing)} of the primary's log yet."
        if missing
        else "It answers, and has replayed all that the primary has written."
    )


def _job(row: FailedJob) -> None:
    """One failed job, what it was about, and another try."""
    header.section(f"Job {row.id}", task(row.task))
    cards.facts(
        {"About": row.about, "Failed": row.failed_at, "Tries": row.tries, "Queue": row.queue},
        columns=2,
    )
    cards.note(row.reason or NO_REASON)
    if "operation_id" in row.args:
        navigation.link(
            "operations",
            f"Operation {row.args['operation_id']}",
            icon=":material/arrow_forward:",
            id=row.args["operation_id"],
        )
    if "event_id" in row.args:
        navigation.link(
            "operations",
            "Event",
            icon=":material/arrow_forward:",
            about=row.args["event_id"],
            **{"operations-tab": "Webhook inbox"},
        )
    if not request_context.may(Permission.RETRY_OPERATION):
        cards.note("Finance or an administrator can try it again.")
    elif confirm.step_up("job-form"):
        _again(row)


def _again(row: FailedJob) -> None:
    place = text_fields.named("job", row.id, "retry")
    reason = reasons.line(place, key="job-reason")
    intent = confirm.pressed("Try again", key="job-retry", icon=":material/replay:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: job_retry.retry(
                session, actor, now=now, job_id=row.id, reason=reason
            ),
            done=f"Job {row.id} is queued again. The next worker that is free runs it.",
            then=lambda _: navigation.go("operations", **{"operations-tab": "Workers and jobs"}),
            sent=[place],
        )
