"""What `core.db` promises of transactions and connections."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit, db
from core.audit.actions import AuditAction
from core.db import Database, at_commit
from core.embedded_postgres import Urls
from core.one_statement import write_together
from core.records import Milestone, PaymentEvent, PaymentOrder
from core.rules.payment_states import CauseKind
from core.rules.permissions import SYSTEM
from tests.actions.test_statement_counts import counted
from tests.builders import NOW, a_town, funded

ENTRIES = text("select *, before is null and after is null as is_null from audit_entries order by id")
CUT = text(
    "select pg_terminate_backend(pid, 60000) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


def test_rows_are_gathered_and_written_once_in_their_order(database: Database) -> None:
    written: list[list[int]] = []

    def write(_: Session, rows: list[int]) -> None:
        written.append(rows)

    def gather(session: Session) -> None:
        for number in (3, 1, 2):
            at_commit(session, write, number)
        assert not written

    database.run(gather)
    assert written == [[3, 1, 2]]


def test_a_transaction_that_is_rolled_back_takes_its_rows_with_it(database: Database) -> None:
    written: list[Any] = []

    def write(_: Session, rows: list[int]) -> None:
        written.append(rows)

    with Session(database.engine) as session:
        at_commit(session, write, 1)
        session.rollback()
        at_commit(session, write, 2)
        with session.begin_nested() as savepoint:
            at_commit(session, write, 3)
            savepoint.rollback()
        session.commit()
    assert written == [[2]]


def changed(session: Session, milestone_id: int) -> tuple[Milestone, PaymentOrder]:
    """Both have changes that were not written, and are written with the event of one of them."""
    milestone, order = session.get_one(Milestone, milestone_id), session.get_one(PaymentOrder, milestone_id)
    milestone.version, order.failure = 77, "declined"
    event = PaymentEvent(
        milestone_id=milestone_id,
        from_state=order.state,
        to_state=order.state,
        cause="funding declined",
        cause_kind=CauseKind.CHARGE_FAILED,
        caused_by={},
        amounts={},
        at=NOW,
    )
    write_together(session, [milestone, order], event)
    return milestone, order


def test_changes_of_several_tables_and_new_rows_are_one_statement(database: Database) -> None:
    told = funded(a_town(database))

    def work(session: Session) -> None:
        with counted(database) as seen:
            changed(session, told.milestone)
        assert [each.startswith("WITH") for each in seen] == [False, False, True]  # both read, all written

    database.run(work)
    with database.reading() as session:
        assert session.get_one(Milestone, told.milestone).version == 77
        assert session.get_one(PaymentOrder, told.milestone).failure == "declined"
        causes = select(PaymentEvent.cause).where(PaymentEvent.milestone_id == told.milestone)
        assert session.scalars(causes.order_by(PaymentEvent.id)).all()[-1] == "funding declined"


def test_what_was_written_together_is_undone_with_its_savepoint(database: Database) -> None:
    told = funded(a_town(database))
    with database.transaction() as session:
        before = session.get_one(Milestone, told.milestone).version
        with session.begin_nested() as savepoint:
            milestone, order = changed(session, told.milestone)
            savepoint.rollback()
        assert (milestone.version, order.failure) == (before, None)


def leave(session: Session, number: int, **also: Any) -> None:
    named = AuditAction.MILESTONE_REMIND.by("system")
    audit.record(session, SYSTEM, named, object_kind="milestone", object_id=number, now=NOW, **also)


def test_entries_of_one_transaction_stand_in_the_order_in_which_they_were_left(database: Database) -> None:
    def work(session: Session) -> None:
        for number in (5, 3, 9, 1):
            leave(session, number, after={"words": 'quote " and \\ and ü', "none": None, "number": 2**60})
        leave(session, 7, before=None)

    database.run(work)
    with database.reading() as session:
        found = session.execute(ENTRIES).all()
    assert [each.object_id for each in found] == ["5", "3", "9", "1", "7"]
    assert found[0].after == {"words": 'quote " and \\ and ü', "none": None, "number": 2**60}
    assert (found[-1].before, found[-1].after, found[-1].is_null) == (None, None, True)


def test_a_refused_entry_undoes_the_action_that_left_it(database: Database) -> None:
    """Written at the commit, it is refused there, with all that was done."""

    def work(session: Session) -> None:
        session.execute(text("create temporary table traces on commit preserve rows as select 1 as one"))
        leave(session, 1)
        at_commit(session, lambda session, _: session.execute(text("select 1 / 0")), None)

    with pytest.raises(Exception, match="division by zero"):
        database.run(work)
    with database.reading() as session:
        assert session.execute(ENTRIES).all() == []
        assert session.scalar(text("select to_regclass('traces')")) is None


@pytest.mark.parametrize("trusted_for", [30.0, 0.0], ids=["it shows", "it is asked"])
def test_a_connection_that_was_lost_is_found_before_an_action_begins(
    database: Database, owner: Database, monkeypatch: pytest.MonkeyPatch, trusted_for: float
) -> None:
    monkeypatch.setattr(db, "TRUSTED_FOR", trusted_for)
    database.run(lambda session: leave(session, 1))
    with owner.transaction() as session:
        session.execute(CUT)
    database.run(lambda session: leave(session, 2))
    with database.reading() as session:
        assert len(session.execute(ENTRIES).all()) == 2


def test_a_connection_that_was_just_used_costs_no_question(urls: Urls, owner: Database) -> None:
    """One statement is all that the server saw since."""
    database = Database(
        urls.app_url
    )  # with one connection: those that are kept from test to test may be several
    process = database.run(lambda session: session.scalar(text("select pg_backend_pid()")))
    asked = text("select state, query from pg_stat_activity where pid = :process").bindparams(process=process)
    with owner.transaction() as session:
        assert session.execute(asked).all() == [("idle", "COMMIT")]
    connection = database.engine.connect()
    with owner.transaction() as session:
        assert session.execute(asked).all() == [("idle", "COMMIT")]
    assert connection.scalar(text("select pg_backend_pid()")) == process  # it is the one that was asked about
    connection.close()
    database.dispose()
