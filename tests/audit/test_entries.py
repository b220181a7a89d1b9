"""Every change leaves an entry, in the transaction of the change, and the log only grows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit
from core.clock import NaiveTime
from core.money import Money
from core.queries import audit as queries
from core.records.audit import audit_entries
from core.rules.permissions import SYSTEM, Actor, Role
from tests.audit.conftest import MEDIATOR, NOW, Log, refused
from tests.recorded import recorded

WORDS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0@"), max_size=30)
FACTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def test_an_entry_says_who_did_what_to_what_and_why(log: Log) -> None:
    both = Actor("staff", 3, frozenset({Role.MEDIATOR, Role.FINANCE}))
    with log.database.transaction() as session:
        id = recorded(
            session,
            both,
            "mediator:decision:confirm",
            object_kind="decision",
            object_id=12,
            now=NOW,
            reason="Half of the tiles are missing.",
            before={"status": "DISPUTED"},
            after={"release": Money(40_000, "USD"), "role": Role.MEDIATOR, "until": NOW},
            milestone_id=5,
            project_id=2,
            case_id=9,
            report_id=4,
            operation_key="decision:12",
        )
    with log.auditor.reading() as session:
        entry = queries.entry(session, id)
    assert (entry.at, entry.actor_kind, entry.actor_id, entry.role) == (NOW, "staff", 3, "finance,mediator")
    assert (entry.object_kind, entry.object_id, entry.action) == (
        "decision",
        "12",
        "mediator:decision:confirm",
    )
    assert entry.after == {
        "release": {"minor": 40_000, "currency": "USD"},
        "role": "mediator",
        "until": "2026-03-02T09:30:00+00:00",
    }
    assert (entry.milestone_id, entry.project_id, entry.ticket_id, entry.report_id) == (5, 2, 9, 4)
    assert (entry.reason, entry.operation_key) == ("Half of the tiles are missing.", "decision:12")


def test_an_entry_falls_with_its_transaction(log: Log) -> None:
    def fails(session: Session) -> None:
        audit.record(session, SYSTEM, "system:hold:place", object_kind="milestone", object_id=1, now=NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        log.database.run(fails)
    assert log.ask("select count(*) from audit_entries") == 0


def test_an_action_reads_subject_noun_verb(log: Log) -> None:
    for action in ("confirm", "mediator:confirm", "Mediator:decision:confirm", "a:b:c:d", "a:b:c\n", ""):
        with log.database.transaction() as session, pytest.raises(audit.ActionMisnamed):
            audit.record(session, SYSTEM, action, object_kind="milestone", object_id=1, now=NOW)


def _with_address(field: str) -> dict[str, Any]:
    address = "anna.maria@mail.example.org"
    return {field: f"write to {address}." if field == "reason" else {"sent": [address]}}


@pytest.mark.parametrize("field", ["reason", "before", "after"])
def test_an_e_mail_address_is_kept_out_of_the_log(log: Log, field: str) -> None:
    with log.database.transaction() as session, pytest.raises(audit.PersonalDataInAudit):
        audit.record(
            session, MEDIATOR, "mediator:x:y", object_kind="m", object_id=1, now=NOW, **_with_address(field)
        )


@pytest.mark.parametrize("field", ["reason", "before", "after"])
def test_an_address_in_what_a_provider_said_is_taken_out(log: Log, field: str) -> None:
    with log.database.transaction() as session:
        entry = recorded(
            session, SYSTEM, "system:x:y", object_kind="m", object_id=1, now=NOW, **_with_address(field)
        )
        kept = session.scalar(
            text(f"select {field}::text from audit_entries where id = :id").bindparams(id=entry)
        )
    assert "@" not in kept
    assert "anna" not in kept
    assert "[an address]" in kept


def test_what_json_does_not_know_is_refused(log: Log) -> None:
    for value in (b"bytes", object(), timedelta(1)):
        with log.database.transaction() as session, pytest.raises(TypeError):
            audit.record(session, SYSTEM, "a:b:c", object_kind="m", object_id=1, now=NOW, after={"x": value})


def test_a_time_without_zone_is_refused(log: Log) -> None:
    with log.database.transaction() as session, pytest.raises(NaiveTime):
        audit.record(session, SYSTEM, "a:b:c", object_kind="m", object_id=1, now=datetime(2026, 1, 1))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reason=WORDS | st.none(), after=st.dictionaries(WORDS, FACTS, max_size=4))
def test_whatever_was_recorded_is_read_back(log: Log, reason: str | None, after: dict[str, object]) -> None:
    with log.database.transaction() as session:
        id = recorded(
            session, MEDIATOR, "a:b:c", object_kind="m", object_id=1, now=NOW, reason=reason, after=after
        )
        found = session.execute(select(audit_entries).where(audit_entries.c.id == id)).one()
    assert (found.reason, found.after) == (reason, after)


CHANGES = (
    "update audit_entries set reason = 'other'",
    "delete from audit_entries",
    "truncate audit_entries",
    "update seals set root = hash",
    "delete from seals",
    "truncate seals",
    "delete from seal_epochs",
)
INSERT = (
    "insert into audit_entries (at, actor_kind, action, object_kind, object_id, recorded_at)"
    " values (now(), 'system', 'a:b:c', 'm', '1', now())"
)


BY_HAND = (*CHANGES, INSERT, "insert into seals select * from seals", "select seal_batch(null, '0', '1')")


def test_the_application_may_not_write_the_log_by_hand(log: Log) -> None:
    log.written(1)
    for statement in BY_HAND:
        assert "permission denied" in refused(log.database, statement)
        assert "permission denied" in refused(log.auditor, statement)


def test_the_owner_may_not_change_what_is_written(log: Log) -> None:
    log.written(1)
    for statement in CHANGES:
        assert "only grows" in refused(
            log.owner, f"{statement} cascade" if "truncate" in statement else statement
        )


def test_the_auditor_reads_and_does_nothing_else(log: Log) -> None:
    assert "permission denied" in refused(log.auditor, "select seal_range()")
    call = "select record_audit(now(), 'system', null, null, 'a:b:c', 'm', '1')"
    assert "permission denied" in refused(log.auditor, call)


HALVES = (
    "'robot', null, null, 'a:b:c', 'm', '1'",
    "'staff', null, null, 'a:b:c', 'm', '1'",
    "'system', 3, null, 'a:b:c', 'm', '1'",
    "'system', null, null, 'abc', 'm', '1'",
    "'system', null, null, 'a:b:c', '', '1'",
    "'system', null, null, 'a:b:c', 'm', null",
)


def test_the_database_itself_refuses_half_an_entry(log: Log) -> None:
    for values in HALVES:
        assert "violates" in refused(log.database, f"select record_audit(now(), {values})")


def test_nobody_chooses_the_transaction_that_an_entry_names(log: Log) -> None:
    statement = INSERT.replace("recorded_at)", "recorded_at, xid)").replace("'1', now())", "'1', now(), '9')")
    with log.owner.transaction() as session:
        session.connection().exec_driver_sql(statement)
    assert log.ask("select xid::text from audit_entries") != "9"
