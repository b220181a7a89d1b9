"""Workers and jobs on the page Operations: who works and on what, what waits, and what failed is tried again."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core import jobs
from core.actions.operations import job_retry
from core.db import Database
from core.errors import NotFound
from core.jobs import JobNotFailed, JobQueuedAlready
from core.queries import workers
from core.rules.permissions import NotPermitted
from dashboard import request_context
from tests import builders
from tests.builders import Town
from tests.pages.test_finance_pages import statements
from tests.pages.test_operation_retry import given_up
from tests.pages.visiting import labels, serve, visit, words

TAB = {"operations-tab": "Workers and jobs"}
REASON = "The database was away then."


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def do(town: Town, sql: str, **values: Any) -> Any:
    with town.database.transaction() as session:
        found = session.execute(text(sql), values)
        return found.scalar() if found.returns_rows else None


def a_worker(town: Town, silent: int = 0) -> int:
    """One that gave its last sign so many seconds ago."""
    return int(
        do(
            town,
            "insert into procrastinate_workers (last_heartbeat)"
            " values (now() - make_interval(secs => :n)) returning id",
            n=silent,
        )
    )


def a_job(town: Town, task: str, status: str = "todo", **more: Any) -> int:
    """Written, and then taken up and ended as queues do."""
    number = do(
        town,
        "insert into procrastinate_jobs (queue_name, task_name, args, queueing_lock)"
        " values ('default', :task, cast(:args as jsonb), :lock) returning id",
        task=task,
        args=more.get("args", "{}"),
        lock=more.get("lock"),
    )
    if status != "todo":
        taken_up(town, number, more.get("worker"))
    if status == "failed":
        do(town, "select procrastinate_finish_job_v1(:id, 'failed', false)", id=number)
    return int(number)


def taken_up(town: Town, number: int, worker: int | None = None) -> None:
    do(
        town,
        "update procrastinate_jobs set status = 'doing', worker_id = :w where id = :id",
        w=worker,
        id=number,
    )


def status(town: Town, number: int) -> str:
    return str(do(town, "select status::text from procrastinate_jobs where id = :id", id=number))


def table(app: AppTest, column: str) -> Any:
    (found,) = [each.value for each in app.dataframe if column in each.value.columns]
    return found


def age(town: Town, shown: Any) -> float:
    """How many seconds ago a table says that something was, by the desk's time."""
    return float((town.now.replace(tzinfo=None) - shown.to_pydatetime().replace(tzinfo=None)).total_seconds())


def errors(app: AppTest) -> str:
    return " ".join(each.value for each in app.error).replace("\\", "")


def test_without_a_worker_the_tab_says_so_and_how_to_start_one(town: Town) -> None:
    app = visit(town, "fay", "operations", **TAB)
    assert "No worker has given a sign for 30 seconds" in errors(app)
    assert "The last sign" not in errors(app)
    assert "No worker has signed on" in words(app)


def test_a_worker_whose_last_sign_is_too_old_is_silent_since_then(town: Town) -> None:
    a_worker(town, silent=35)
    app = visit(town, "fay", "operations", **TAB)
    assert "**No worker has given a sign for 30 seconds.** The last sign was at 2 Mar 2026" in errors(app)
    assert [list(each) for each in table(app, "last_sign")["state"]] == [["Silent"]]
    assert 35 <= age(town, table(app, "last_sign")["last_sign"][0]) < 60


def test_one_that_works_keeps_the_alarm_away_and_says_what_it_does(town: Town) -> None:
    a_worker(town, silent=35)
    busy = a_worker(town)
    a_job(town, jobs.INBOX, "doing", worker=busy)
    app = visit(town, "fay", "operations", **TAB)
    assert not app.error
    seen = table(app, "last_sign")
    assert [list(each) for each in seen["state"]] == [["Alive"], ["Silent"]]
    assert list(seen["doing"]) == ["Apply an event of Stripe", "—"]
    assert 0 <= age(town, seen["busy_since"][0]) < 30
    assert str(seen["busy_since"][1]) == "NaT", "who does nothing does it since no time"


def test_this_process_names_itself_with_its_machine_and_number(town: Town) -> None:
    seen = table(visit(town, "fay", "operations", **TAB), "machine")
    mine = seen[seen["process"] == str(os.getpid())]
    assert set(mine["machine"]) == {socket.gethostname()}
    assert set(mine["part"]) == {"Command"}


def test_jobs_are_counted_by_task_with_since_when_the_first_waits(town: Town) -> None:
    first = a_job(town, jobs.DELIVER)
    a_job(town, jobs.DELIVER)
    a_job(town, jobs.INBOX, "failed")
    do(town, "update procrastinate_events set at = now() - interval '2 hours' where job_id = :id", id=first)
    do(
        town,
        "insert into procrastinate_jobs (queue_name, task_name, scheduled_at)"
        " values ('default', 'deliver', now() + interval '1 day')",
    )
    seen = table(visit(town, "fay", "operations", **TAB), "waiting")
    rows = {row.task: row for row in seen.itertuples()}
    sends = rows["Send e-mails"]
    assert [str(each).strip() for each in (sends.waiting, sends.later, sends.running, sends.failed)] == [
        "2",
        "1",
        "0",
        "0",
    ]
    assert 7_200 <= age(town, sends.waits_since) < 7_230
    assert str(rows["Apply an event of Stripe"].failed).strip() == "1"


def test_a_failed_job_says_what_its_event_says_and_is_tried_again(town: Town) -> None:
    event = given_up(town)
    number = a_job(town, jobs.INBOX, "failed", args=f'{{"event_id": "{event}"}}')
    app = visit(town, "ada", "operations", **TAB, job=number)
    assert "Stripe did not answer." in words(app)
    assert "event evt_1" in words(app)
    app.text_input(key="job-reason").set_value(REASON).run()
    app.button(key="job-retry").click().run()
    assert not app.exception
    assert f"Job {number} is queued again." in words(app)
    assert "There is no failed job" not in words(app), "its panel is closed: it has not failed any more"
    assert status(town, number) == "todo"
    noted = text("select reason, object_id, after from audit_entries where action = 'staff:job:retry'")
    entry = town.read(lambda session: session.execute(noted).one())
    assert tuple(entry) == (REASON, str(number), {"task": "inbox"})


def test_its_tries_are_those_of_workers(town: Town) -> None:
    """The queue's own count goes up with another try of a person's too."""
    number = a_job(town, jobs.DELIVER, "failed")
    assert town.read(lambda session: workers.failed_job(session, number, now=town.now)).tries == 1
    town.act(job_retry.retry, town.as_staff("fay"), job_id=number, reason=REASON)
    taken_up(town, number)
    do(town, "select procrastinate_finish_job_v1(:id, 'failed', false)", id=number)
    assert town.read(lambda session: workers.failed_job(session, number, now=town.now)).tries == 2


def test_one_that_is_about_nothing_points_to_the_log(town: Town) -> None:
    number = a_job(town, jobs.DELIVER, "failed")
    assert "the worker's log has it" in words(visit(town, "fay", "operations", **TAB, job=number))


def test_compliance_reads_who_may_try_it_again(town: Town) -> None:
    app = visit(town, "cora", "operations", **TAB, job=a_job(town, jobs.DELIVER, "failed"))
    assert "Finance or an administrator can try it again." in words(app)
    assert "Try again" not in labels(app)


def test_the_action_asks_too(town: Town) -> None:
    number = a_job(town, jobs.DELIVER, "failed")
    with pytest.raises(NotPermitted):
        town.act(job_retry.retry, town.as_staff("cora"), job_id=number, reason=REASON)
    assert status(town, number) == "failed"


def test_only_a_failed_job_is_tried_again(town: Town) -> None:
    fay = town.as_staff("fay")
    with pytest.raises(NotFound):
        town.act(job_retry.retry, fay, job_id=9_999, reason=REASON)
    for each, named in (("todo", "waiting"), ("doing", "running")):
        with pytest.raises(JobNotFailed, match=named):
            town.act(job_retry.retry, fay, job_id=a_job(town, jobs.DELIVER, each), reason=REASON)
    failed = a_job(town, "retry_stalled", "failed", lock="only one")
    twin = a_job(town, "retry_stalled", lock="only one")
    with pytest.raises(JobQueuedAlready, match=str(twin)):
        town.act(job_retry.retry, fay, job_id=failed, reason=REASON)


def test_failed_jobs_are_filtered_by_task(town: Town) -> None:
    a_job(town, jobs.DELIVER, "failed")
    number = a_job(town, jobs.INBOX, "failed")
    every = table(visit(town, "fay", "operations", **TAB), "about")
    assert len(every) == 2
    some = table(visit(town, "fay", "operations", **TAB, task=jobs.INBOX), "about")
    assert [str(each).strip() for each in some["id"]] == [str(number)]


def test_the_tab_says_how_the_replica_stands(town: Town) -> None:
    assert "the primary serves all reads" in words(visit(town, "fay", "operations", **TAB))
    desk = request_context.desk()
    away = Database("postgresql://desk@127.0.0.1:1/desk", pool_size=1)
    request_context.use(replace(desk, replica=away))
    assert "The replica does not answer." in words(visit(town, "fay", "operations", **TAB))


@pytest.mark.parametrize(
    ("missing", "said"), [(0, "has replayed all"), (3_000_000, "has not replayed the last 2.8 MiB")]
)
def test_a_replica_that_answers_says_how_far_it_is(
    town: Town, monkeypatch: pytest.MonkeyPatch, missing: int, said: str
) -> None:
    from dashboard.finance import workers_and_jobs

    request_context.use(replace(request_context.desk(), replica=town.database))
    monkeypatch.setattr(workers_and_jobs, "behind", lambda primary, replica: missing)
    assert said in words(visit(town, "fay", "operations", **TAB))


def test_more_workers_and_jobs_take_no_more_statements(town: Town) -> None:
    def asked() -> int:
        with statements(town.database) as seen:
            visit(town, "fay", "operations", **TAB)
        return len(seen)

    a_job(town, jobs.DELIVER, "doing", worker=a_worker(town))
    a_job(town, jobs.INBOX, "failed")
    asked()
    few = asked()
    for _ in range(3):
        a_job(town, jobs.DELIVER, "doing", worker=a_worker(town))
        a_job(town, jobs.INBOX, "failed")
    assert asked() == few


def test_the_time_of_a_sign_is_the_desks(town: Town) -> None:
    """A demo's time runs ahead of the database's clock."""
    a_worker(town)
    town.wait(hours=1_000)
    (row,) = town.read(lambda session: workers.workers(session, now=town.now))
    assert row.state == "ALIVE"
    assert 0 <= (town.now - row.last_sign).total_seconds() < 30
