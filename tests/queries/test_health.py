"""Whatever stops going on by itself is seen, by name: in doctor, at /readyz, and as a number at /metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import audit
from core.audit import outside
from core.audit.outside_places import Folder
from core.audit.pinned_keys import ledger_name
from core.db import Database
from core.policy import limits
from core.queries import health
from core.queries.audit import seal_state
from dashboard import health as health_page
from dashboard import metrics
from tests.builders import Town, a_town, funded
from tests.desk_fixtures import a_desk

TICK = timedelta(seconds=1)


class Desk:
    """A desk in business, by the clock of its database, and hands that stop one part."""

    def __init__(self, database: Database, owner: Database, home: Path) -> None:
        self.database, self.owner, self.home = database, owner, home
        self.places: list[outside.Place] = []
        self.town: Town = a_town(database)
        funded(self.town)
        self.now = datetime.now(UTC)
        self.do("update notifications set status = 'SENT', mail = 'x'")
        self.do(
            "update outgoing_operations set status = 'SUCCEEDED', sending_since = null, finished_at = now()"
        )
        self.do("update installation set created_at = now()")
        self.do("insert into procrastinate_workers default values")
        self.look(at_stripe=10**9)
        self.seal()

    def do(self, statement: str, **values: Any) -> None:
        with self.owner.transaction() as session:
            session.execute(text("set local session_replication_role = replica"))
            session.execute(text(statement), values)

    def look(self, *, at_stripe: int) -> None:
        self.do(
            "insert into stripe_balances (currency, looked_at, at_stripe_minor, owed_minor, on_its_way_minor)"
            " values ('USD', :at, :at_stripe, 70000, 0)",
            at=self.now,
            at_stripe=at_stripe,
        )

    def seal(self) -> None:
        signer = audit.desk_signer(self.database, self.home, now=self.now)
        for _ in range(1000):  # a transaction of a test beside this one delays a seal
            audit.seal(self.database, signer, self.home / "checkpoints", now=self.now)
            with self.database.reading() as session:
                if not seal_state(session).open:
                    return
            sleep(0.02)

    def wrong(self, now: datetime | None = None) -> dict[str, str]:
        with self.database.reading() as session:
            found = health.states(session, self.home, now=now or self.now, places=self.places)
        return {each.part: each.words for each in found if not each.ok}


@pytest.fixture
def desk(database: Database, owner: Database, tmp_path: Path) -> Desk:
    return Desk(database, owner, tmp_path)


def test_where_all_goes_on_nothing_is_wrong(desk: Desk) -> None:
    assert desk.wrong() == {}


def test_checkpoints_that_do_not_get_outside_are_named_after_a_while_and_at_once_where_it_is_known_why(
    desk: Desk, tmp_path: Path
) -> None:
    place = Folder(tmp_path / "outside")
    desk.places = [place]
    with desk.database.reading() as session:
        ledger = ledger_name(session)
    assert desk.wrong() == {}
    late = desk.now + limits.SEALED_WITHIN + TICK
    assert "1 not at" in desk.wrong(late)["Checkpoints outside"]
    with pytest.raises(outside.OutsideUnreachable):
        outside.publish(desk.home / "checkpoints", ledger, place, now=desk.now)
    assert "no such folder" in desk.wrong()["Checkpoints outside"]
    place.path.mkdir()
    outside.publish(desk.home / "checkpoints", ledger, place, now=late)
    assert "Checkpoints outside" not in desk.wrong(late)


def test_a_worker_that_is_silent_is_dead(desk: Desk) -> None:
    desk.do("update procrastinate_workers set last_heartbeat = now() - interval '25 seconds'")
    assert desk.wrong() == {}
    desk.do("update procrastinate_workers set last_heartbeat = now() - interval '35 seconds'")
    assert "none is alive, the last was heard of at" in desk.wrong()["Worker"]
    desk.do("delete from procrastinate_workers")
    assert "none has signed on" in desk.wrong()["Worker"]


def test_webhooks_that_wait_or_were_given_up_are_counted(desk: Desk) -> None:
    for number, status in enumerate(["RECEIVED", "RECEIVED", "FAILED", "APPLIED"]):
        desk.do(
            "insert into webhook_events (id, kind, object_id, payload, status, tries, next_try_at, created_at,"
            " received_at) values (:id, 'charge.updated', 'ch_1', '{}', :status, 0, :at, :at, :at)",
            id=f"evt_{number}", status=status, at=desk.now,
        )  # fmt: skip
    assert set(desk.wrong()) == {"Webhooks"}
    assert desk.wrong()["Webhooks"].startswith("1 were given up")
    late = desk.wrong(desk.now + limits.WEBHOOK_LATE_AFTER + TICK)["Webhooks"]
    assert late.startswith("2 wait for longer than 5 minutes; 1 were given up")


def test_calls_that_are_late_or_wait_for_a_person_are_counted(desk: Desk) -> None:
    desk.do(
        "update outgoing_operations set status = 'QUEUED', finished_at = null, next_try_at = :now",
        now=desk.now,
    )
    assert desk.wrong() == {}
    late = desk.wrong(desk.now + limits.CALL_LATE_AFTER + TICK)
    assert "should have been sent more than 10 minutes ago" in late["Stripe requests"]
    desk.do("update outgoing_operations set status = 'REVIEW', finished_at = :now", now=desk.now)
    assert desk.wrong() == {}
    assert "wait for a person" in desk.wrong(desk.now + limits.REVIEW_WAITS + TICK)["Stripe requests"]


def test_letters_that_are_late_or_came_back_are_counted(desk: Desk) -> None:
    desk.do("update notifications set status = 'QUEUED', next_try_at = :now, created_at = :now", now=desk.now)
    assert desk.wrong() == {}
    late = desk.wrong(desk.now + timedelta(minutes=61))["E-mails"]
    assert late.startswith("0 given up")
    assert not late.startswith("0 given up, 0 late")
    desk.do("update notifications set status = 'FAILED'")
    assert "0 late" in desk.wrong()["E-mails"]


def test_the_oldest_that_waits_is_seen_however_often_it_was_tried(desk: Desk) -> None:
    """Each try puts the next one off, so what is tried in vain is never late."""
    hours = {"hours": 4, "at": desk.now}
    since = (
        "created_at = cast(:at as timestamptz) - make_interval(hours => :hours),"
        " next_try_at = cast(:at as timestamptz) + interval '1 hour'"
    )
    desk.do(
        "insert into webhook_events (id, kind, object_id, payload, status, tries, next_try_at, created_at,"
        " received_at) values ('evt_1', 'charge.updated', 'ch_1', '{}', 'RECEIVED', 7, cast(:at as timestamptz) +"
        " interval '1 hour', :at, cast(:at as timestamptz) - make_interval(hours => :hours))",
        **hours,
    )
    assert set(desk.wrong()) == {"Oldest waiting"}
    assert desk.wrong()["Oldest waiting"].startswith("an event from Stripe has waited since ")
    desk.do(
        f"update outgoing_operations set status = 'QUEUED', last_error = 'No.', provider_id = null, {since}",
        **hours,
    )
    desk.do(f"update notifications set status = 'QUEUED', error = 'No.', {since}", **hours)
    desk.do(
        "insert into webhook_endpoints (platform, url, nonce, last_sequence, created_at)"
        " values ('home_services', 'https://market.example', 'n', 0, :at)",
        at=desk.now,
    )
    desk.do(
        "insert into outgoing_events (endpoint_id, kind, data, status, tries, next_try_at, created_at)"
        " select id, 'case.opened', '{}', 'QUEUED', 9, cast(:at as timestamptz) + interval '1 hour',"
        " cast(:at as timestamptz) - make_interval(hours => :hours) from webhook_endpoints",
        **hours,
    )
    desk.do(
        "insert into exports (kind, session_id, staff_id, name, format, filter, requested_at, next_try_at, expires_at,"
        " tries, done, total) values ('ledger', 1, 1, 'ledger', 'csv', '{}', :at, cast(:at as timestamptz)"
        " - make_interval(hours => :hours), cast(:at as timestamptz) + interval '1 day', 0, 0, 0)",
        **hours,
    )
    said = desk.wrong()["Oldest waiting"]
    for what in ("event from Stripe", "operation", "e-mail", "event to a marketplace", "export"):
        assert f"an {what} has waited since " in said
    fresh = desk.wrong(desk.now - timedelta(hours=3, minutes=30))
    assert "Oldest waiting" not in fresh


def test_what_is_not_due_yet_or_waits_for_something_else_is_not_old(desk: Desk) -> None:
    long_ago = "created_at = cast(:at as timestamptz) - interval '9 days'"
    later = "next_try_at = cast(:at as timestamptz) + interval '1 day'"
    desk.do(
        f"update notifications set status = 'QUEUED', {later}, {long_ago}",
        at=desk.now,
    )
    desk.do(
        f"update outgoing_operations set status = 'BLOCKED', last_error = 'A hold.', {long_ago}", at=desk.now
    )
    assert desk.wrong() == {}


def test_a_record_that_is_not_sealed_or_not_signed_is_named_with_its_time(desk: Desk) -> None:
    path = desk.home / "keys" / "checkpoints.pem"
    key, away = audit.signer(desk.home).public.fingerprint, path.with_suffix(".away")
    path.rename(away)
    assert key in desk.wrong()["Record"]
    away.rename(path)
    (file,) = (desk.home / "checkpoints").glob("*.jsonl")
    lines = file.read_bytes()
    file.write_bytes(b"")
    assert desk.wrong() == {}
    desk.do("update seals set sealed_at = sealed_at - interval '121 seconds'")
    assert "seals are not signed, the oldest of" in desk.wrong()["Record"]
    file.write_bytes(lines)
    desk.do("delete from seals")
    assert desk.wrong() == {}
    desk.do("update audit_entries set recorded_at = recorded_at - interval '121 seconds'")
    assert "entries are not sealed, the oldest of" in desk.wrong()["Record"]


def test_a_reconciliation_that_failed_or_is_old_is_named(desk: Desk) -> None:
    assert (
        "no statement was ever compared"
        in desk.wrong(desk.now + limits.RECONCILED_WITHIN + TICK)["Reconciliation"]
    )
    columns = "status, until, lines, matched, breaks, totals, error, started_at, finished_at"
    run = f"insert into reconciliation_runs ({columns})"
    values = "values (:status, :now, 0, 0, 0, '[]', :error, :now, :now)"
    desk.do(f"{run} {values}", status="CLEAN", error=None, now=desk.now)
    assert desk.wrong() == {}
    assert "compared ends at" in desk.wrong(desk.now + limits.RECONCILED_WITHIN + TICK)["Reconciliation"]
    desk.do(f"{run} {values}", status="FAILED", error="Stripe did not answer.", now=desk.now)
    assert "failed: Stripe did not answer" in desk.wrong()["Reconciliation"]


def test_readyz_says_which_parts_are_stuck_and_nothing_more(desk: Desk, tmp_path: Path) -> None:
    routes = [
        *health_page.routes(a_desk(desk.database, desk.home)),
        *metrics.routes(a_desk(desk.database, desk.home)),
    ]
    with TestClient(Starlette(routes=routes), client=("127.0.0.1", 1)) as client:
        ready = client.get("/readyz").json()
        assert set(ready.get("parts", [])) <= {"E-mails", "Stripe requests", "Reconciliation", "Client funds"}
        desk.do("delete from procrastinate_workers")
        (path := desk.home / "keys" / "checkpoints.pem").rename(path.with_suffix(".away"))
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert {"Worker", "Record"} <= set(answer.json()["parts"])
        assert "checkpoints.pem" not in answer.text
        numbers = client.get("/metrics").text
        assert 'escrow_desk_part_healthy{part="worker"} 0' in numbers
        assert 'escrow_desk_part_healthy{part="webhooks"} 1' in numbers
        for work in ("stripe_event", "operation", "email", "marketplace_event", "export"):
            assert f'escrow_desk_oldest_waiting_seconds{{work="{work}"}} 0' in numbers


def test_money_that_is_short_and_breaks_that_are_open_are_said(desk: Desk) -> None:
    stale = desk.wrong(desk.now + limits.CLIENT_FUNDS_STALE_AFTER + TICK)
    assert "is not known: the last look was at" in stale["Client funds"]
    desk.look(at_stripe=100)
    desk.do(
        "insert into reconciliation_runs (status, until, lines, matched, unmatched, in_suspense, breaks, totals,"
        " started_at, finished_at) values ('BREAKS', :at, 9, 5, 4, 0, 4, '[]', :at, :at)",
        at=desk.now,
    )
    wrong = desk.wrong()
    assert "$699.00 short at" in wrong["Client funds"]
    numbers = metrics.render(a_desk(desk.database, desk.home)).decode()
    assert 'escrow_desk_client_funds_short_minor{currency="USD"} 69900' in numbers
    assert "found 4 that do not match" in wrong["Reconciliation"]
