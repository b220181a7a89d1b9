"""A test finds what the first would find, whatever the one before it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy import text

from core.db import Database
from core.embedded_postgres import Server
from tests import builders
from tests.builders import a_town
from tests.database import fresh_copy
from tests.db_snapshot import everything
from tests.reused_database import Copy, ReusedDatabase

SEQUENCES = text("select schemaname, sequencename, last_value from pg_sequences order by 1, 2")


@pytest.fixture
def reused(server: Server, town_template: str) -> Iterator[ReusedDatabase]:
    reused = ReusedDatabase(server, town_template)
    yield reused
    reused.close()


def numbers(owner: Database) -> list[tuple[str, str, int | None]]:
    with owner.reading() as session:
        return [tuple(row) for row in session.execute(SEQUENCES)]


def lived(copy: Copy) -> None:
    town = a_town(copy.open(copy.urls.app_url))
    builders.funded(town)
    with copy.open(copy.urls.owner_url).transaction() as session:
        session.execute(text("set local session_replication_role = replica"))  # no law is asked
        session.execute(text("delete from chart where name = 'bank'"))
        session.execute(text("update staff set name = 'Somebody Else'"))


def a_trigger_is_off(copy: Copy) -> Iterator[None]:
    with copy.open(copy.urls.owner_url).transaction() as session:
        session.execute(text("alter table journals disable trigger all"))
    yield


def a_column_is_added(copy: Copy) -> Iterator[None]:
    with copy.open(copy.urls.owner_url).transaction() as session:
        session.execute(text("alter table chart add column remark text"))
    yield


def somebody_is_still_connected(copy: Copy) -> Iterator[None]:
    with psycopg.connect(copy.urls.app_url.replace("+psycopg", "", 1)):
        yield


def a_connection_is_still_lent(copy: Copy) -> Iterator[None]:
    engine = copy.open(copy.urls.app_url).engine
    with engine.connect():
        yield
    engine.dispose()


def a_lock_is_still_held(copy: Copy) -> Iterator[None]:
    with copy.open(copy.urls.app_url).rehearsal() as session:
        session.execute(text("select pg_advisory_lock(1)"))
    yield


def test_nothing_is_left_of_a_test(server: Server, town_template: str, reused: ReusedDatabase) -> None:
    with fresh_copy(server, town_template) as fresh:
        owner = Database(fresh.owner_url)
        wanted, counted = everything(owner), numbers(owner)
        owner.dispose()
    first = None
    for _ in range(3):
        with reused.lent() as copy:
            first = first or copy
            owner = copy.open(copy.urls.owner_url)
            assert everything(owner) == wanted
            assert numbers(owner) == counted
            lived(copy)
            assert everything(owner) != wanted
            assert numbers(owner) != counted
    assert reused.copy is first


def test_a_setting_of_a_connection_is_set_back(reused: ReusedDatabase) -> None:
    with reused.lent() as first, first.open(first.urls.app_url).transaction() as session:
        session.execute(text("set timezone = 'Asia/Tokyo'"))
    with reused.lent() as second, second.open(second.urls.app_url).reading() as session:
        assert session.scalar(text("show timezone")) != "Asia/Tokyo"
    assert first is second


@pytest.mark.parametrize(
    "left",
    [
        a_trigger_is_off,
        a_column_is_added,
        somebody_is_still_connected,
        a_connection_is_still_lent,
        a_lock_is_still_held,
    ],
)
def test_what_cannot_be_taken_out_ends_the_copy(
    reused: ReusedDatabase, left: Callable[[Copy], Iterator[None]]
) -> None:
    with ExitStack() as stays:
        with reused.lent() as copy:
            stays.enter_context(contextmanager(left)(copy))
        assert reused.copy is None
    with reused.lent() as another:
        assert another is not copy


def test_a_test_that_cuts_every_connection_is_asked_all_the_same(reused: ReusedDatabase) -> None:
    with reused.lent() as copy, psycopg.connect(copy.urls.owner_url.replace("+psycopg", "", 1)) as other:
        other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert copy.unrecorded() == []


def test_rows_lie_in_the_order_in_which_they_came(reused: ReusedDatabase) -> None:
    """Space that a test before has left within a page was used again, and what came later lay before."""
    for _ in range(3):
        with reused.lent() as copy, copy.open(copy.urls.owner_url).transaction() as session:
            for number in range(60):
                session.execute(
                    text(
                        "insert into rate_buckets (holder, tokens, at, granted) values (:n, 1, now(), true)"
                    ),
                    {"n": f"{number:03}"},
                )
                session.execute(
                    text("update rate_buckets set tokens = 2 where holder = :n"), {"n": f"{number:03}"}
                )
            found = session.scalars(text("select holder from rate_buckets")).all()
            assert found == sorted(found)
