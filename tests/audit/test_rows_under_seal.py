"""Whatever SQL does to a row under seal is found, and named by table, key and column: every table, every column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from core import audit
from core.audit import migrated_rows, row_comparison
from core.audit.rows_under_seal import TABLES
from core.audit.verification_report import SAID
from core.db import Database
from core.embedded_postgres import Urls
from core.records import Party
from tests import builders
from tests.audit.conftest import MEDIATOR, NOW, Log, refused
from tests.database import migrate

# One row more, of values that a column of the type takes. No constraint is asked: triggers and checks are off.
A_VALUE = {
    "bigint": "{n}",
    "integer": "{n}",
    "smallint": "{n}",
    "numeric": "{n}",
    "double precision": "{n}",
    "character varying": "'v{n}'",
    "text": "'v{n}'",
    "boolean": "true",
    "date": "date '2026-03-01' + {n}",
    "timestamp with time zone": "timestamptz '2026-03-01 09:00+00' + {n} * interval '1 second'",
    "interval": "{n} * interval '1 second'",
    "jsonb": "'{{\"n\": {n}}}'",
    "bytea": "int4send({n})",
    "xid8": "'{n}'",
    "uuid": "lpad('{n}', 32, '0')::uuid",
    "ARRAY": "'{{{n}}}'",
}
COLUMNS = """
select table_name, column_name, case data_type when 'USER-DEFINED' then 'bigint' else data_type end,
       is_generated = 'ALWAYS'
from information_schema.columns where table_schema = 'public' and table_name = any(%s) order by ordinal_position
"""
CHECKS = """
select conrelid::regclass::text, conname from pg_constraint
where contype in ('c', 'f', 'u', 'x') and conrelid = any(cast(%s as regclass[])) order by contype <> 'f'
"""
INDEXES = """
select i.indexrelid::regclass::text from pg_index i
where i.indrelid = any(cast(%s as regclass[])) and i.indisunique and not i.indisprimary
"""
ROWS = 4
Columns = dict[str, list[tuple[str, str]]]


@pytest.fixture
def hand(log: Log) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser for whom no constraint holds: only the seal is in the way."""
    url = log.owner.engine.url.render_as_string(hide_password=False).replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        names = list(TABLES)
        for table, name in connection.execute(CHECKS, [names]).fetchall():
            connection.execute(f'alter table {table} drop constraint if exists "{name}" cascade'.encode())
        for (name,) in connection.execute(INDEXES, [names]).fetchall():
            connection.execute(f"drop index {name}".encode())
        yield connection


def columns(hand: psycopg.Connection[tuple[object, ...]]) -> Columns:
    found: Columns = {}
    for table, name, kind, generated in hand.execute(COLUMNS, [list(TABLES)]):
        if not generated:
            found.setdefault(str(table), []).append((str(name), str(kind)))
    return found


def fill(log: Log, hand: psycopg.Connection[tuple[object, ...]]) -> Columns:
    """A few rows in every table, written with the log's triggers on and an audit entry in the same transaction."""
    known = columns(hand)
    off = "select tgrelid::regclass::text, tgname from pg_trigger where not tgisinternal and tgname <> 'row_changes'"
    for table, name in hand.execute(
        f"{off} and tgrelid = any(cast(%s as regclass[]))".encode(), [list(TABLES)]
    ).fetchall():
        hand.execute(f'alter table {table} disable trigger "{name}"'.encode())
    with hand.transaction():
        hand.execute("select record_audit(now(), 'system', null, null, 'system:test:fill', 'test', '1')")
        for table, each in known.items():
            names = ", ".join(f'"{name}"' for name, _ in each)
            for n in range(1, ROWS + 1):
                values = ", ".join(A_VALUE[kind].format(n=n) for _, kind in each)
                hand.execute(
                    f'insert into "{table}" ({names}) overriding system value values ({values})'.encode()
                )
    hand.execute("set session_replication_role = replica")
    return known


def key(table: str, n: int, known: Columns) -> str:
    """How the row of this number is named."""
    kinds = dict(known[table])
    texts = ("character varying", "text")
    return "-".join(f"v{n}" if kinds[name] in texts else str(n) for name in TABLES[table])


def where(table: str, n: int, known: Columns) -> str:
    """The row of this number, in SQL."""
    kinds = dict(known[table])
    return " and ".join(f'"{name}" = {A_VALUE[kinds[name]].format(n=n)}' for name in TABLES[table])


def texts(log: Log) -> list[str]:
    """What verification finds in the rows: whatever else it reads would not understand these."""
    with log.auditor.reading() as session:
        return [finding.text for finding in row_comparison.compare(session)]


def test_every_column_of_every_table_is_found_when_sql_alters_it(
    log: Log, hand: psycopg.Connection[tuple[object, ...]]
) -> None:
    """As superuser, with every trigger off; the tables and columns are those of the catalogue."""
    known = fill(log, hand)
    assert texts(log) == []
    assert set(known) == set(TABLES)
    for at in range(max(map(len, known.values()))):  # one column of each table at once, and back again
        altered = {
            table: each[at]
            for table, each in known.items()
            if at < len(each) and each[at][0] not in TABLES[table]
        }
        for table, (name, kind) in altered.items():
            other = "false" if kind == "boolean" else A_VALUE[kind].format(n=77)
            hand.execute(f'update "{table}" set "{name}" = {other} where {where(table, 2, known)}'.encode())
        found = texts(log)
        for table, (name, _) in altered.items():
            row = f"Row {key(table, 2, known)} of {table} ("
            (named,) = (one.removeprefix(row).partition(")")[0] for one in found if one.startswith(row))
            others = set(named.split(", ")) - {name}  # what is computed from it is other as well
            assert name in named.split(", ")
            assert not others & dict(known[table]).keys(), (table, named)
        assert len(found) == len(altered)
        for table, (name, kind) in altered.items():
            back = A_VALUE[kind].format(n=2)
            hand.execute(f'update "{table}" set "{name}" = {back} where {where(table, 2, known)}'.encode())
    assert texts(log) == []


def test_rows_that_are_put_in_removed_or_swapped_are_found_in_every_table(
    log: Log, hand: psycopg.Connection[tuple[object, ...]]
) -> None:
    known = fill(log, hand)
    for table, each in known.items():
        kinds = dict(each)
        names = ", ".join(f'"{name}"' for name in kinds)
        values = ", ".join(A_VALUE[kind].format(n=9) for kind in kinds.values())
        hand.execute(f'insert into "{table}" ({names}) overriding system value values ({values})'.encode())
        hand.execute(f'delete from "{table}" where {where(table, 1, known)}'.encode())
        rest = [name for name in kinds if name not in TABLES[table]]
        for n, other in ((2, 3), (3, 2)) if rest else ():
            swapped = ", ".join(f'"{name}" = {A_VALUE[kinds[name]].format(n=other)}' for name in rest)
            hand.execute(f'update "{table}" set {swapped} where {where(table, n, known)}'.encode())
    found = texts(log)
    for table, each in known.items():
        wanted = f"Row {key(table, 9, known)} of {table} is in its table, and was never logged"
        assert any(one.startswith(wanted) for one in found), (
            wanted,
            [one for one in found if f" of {table} " in one],
        )
        assert any(
            one.startswith(f"Row {key(table, 1, known)} of {table} was logged as change") for one in found
        )
        if len(each) > len(TABLES[table]):
            for n in (2, 3):
                assert any(one.startswith(f"Row {key(table, n, known)} of {table} (") for one in found), (
                    table,
                    n,
                )


def test_what_sql_does_with_the_log_running_is_found_by_its_missing_entry(log: Log) -> None:
    """A superuser who switches nothing off is logged: nothing in the audit log says why."""
    town = builders.a_town(log.database)
    log.seal()
    assert log.verify().ok
    with log.owner.transaction() as session:
        session.execute(text("update parties set name = 'Nobody' where id = :id"), {"id": town.payee_id})
    log.seal()
    found = [finding.text for finding in log.verify().findings]
    did = "by the database login escrow_desk (change "
    assert len(found) == 2, found
    assert found[0].startswith(f"Row 1 of party_changes was put in {did}")  # by a trigger
    assert found[1].startswith(f"Row {town.payee_id} of parties (name) was changed {did}")
    assert all("left no audit entry and no journal" in each for each in found)


def test_what_the_worker_writes_by_the_way_needs_no_entry_and_anything_else_does(log: Log) -> None:
    town = builders.a_town(log.database)
    builders.funded(town)
    by_the_way = "update payment_orders set next_retry_at = now() where milestone_id = 1"
    for database, statement, count in (
        (log.database, by_the_way, 0),
        (log.owner, by_the_way, 1),
        (log.database, by_the_way.replace("now()", "now(), retries = 3"), 2),
    ):
        with database.transaction() as session:
            session.execute(text(statement))
        wrong = [finding for finding in log.verify().findings if "of payment_orders" in finding.why]
        assert len(wrong) == count, (statement, wrong)


def test_a_row_that_the_desk_writes_after_sql_altered_it_still_tells(log: Log) -> None:
    """The next honest change takes nothing for granted: the row was not what the change before it says."""
    town = builders.a_town(log.database)
    log.tamper("update parties set email = 'thief@example.com' where id = :id", id=town.payee_id)
    with log.database.transaction() as session:
        session.get_one(Party, town.payee_id).name = "Pavel"
        audit.record(
            session, MEDIATOR, "system:test:change", object_kind="party", object_id=town.payee_id, now=NOW
        )
    log.seal()
    found = log.verify().findings
    assert len(found) == 1, found
    (found,) = found
    assert found.text.startswith(
        f"Row {town.payee_id} of parties (email) was altered past the log before change"
    )


def test_a_change_that_is_written_over_to_fit_an_altered_row_is_found(log: Log) -> None:
    """Who knows how hashes are made still cannot put one under a seal that is closed."""
    town = builders.a_town(log.database)
    log.seal()
    log.tamper("update parties set email = 'thief@example.com' where id = :id", id=town.payee_id)
    log.tamper(
        "update row_changes c set digest = sha256(uuid_send(c.salt) || convert_to(rtrim(left(p::text, -1), ','),"
        " 'UTF8'))"
        " from parties p where c.relation = 'parties' and c.row_key = p.id::text and p.id = :id",
        id=town.payee_id,
    )
    assert ("change", "altered") in {(finding.kind, finding.wrong) for finding in log.verify().findings}


def test_a_trigger_that_was_switched_off_is_named(log: Log) -> None:
    log.tamper("alter table parties disable trigger row_changes")
    log.tamper("drop trigger row_changes on payouts")
    assert [finding.text for finding in log.verify().findings] == [
        f"Changes of {table} are not logged: its trigger was removed or switched off."
        for table in ("parties", "payouts")
    ]


def test_a_column_that_is_added_and_empty_changes_nothing_and_one_with_a_default_is_taken_in(
    log: Log,
) -> None:
    builders.a_town(log.database)
    log.tamper("alter table parties add column nickname text")
    assert log.verify().ok
    log.tamper("alter table parties add column fans bigint not null default 7")
    found = log.verify().findings
    assert {finding.text[: finding.text.index(" is not")] for finding in found} == {
        f"Row {n} of parties (fans)" for n in (1, 2)
    }
    with log.owner.transaction() as session:
        session.execute(text("select take_rows_in('parties')"))
        migrated_rows.leave_entry(session.connection())
    log.seal()
    report = log.verify()
    assert report.ok
    assert [each.rows for each in report.taken_in] == [2]
    assert "2 rows were taken in as found on" in report.text


def test_rows_that_are_taken_in_by_no_migration_are_named(log: Log) -> None:
    builders.a_town(log.database)
    log.tamper("update parties set bank_token_sha256 = repeat('0', 64) where id = 2")
    with log.owner.transaction() as session:
        session.execute(text("select take_rows_in('parties')"))
    found = [finding.text for finding in log.verify().findings]
    assert len(found) == 2
    assert all("was taken in as it was found by the database login" in each for each in found)
    assert all(
        each.endswith("left no audit entry and no journal: it was done past the desk.") for each in found
    )


def test_a_row_that_was_removed_and_is_put_in_again_is_named_with_its_removal(log: Log) -> None:
    builders.a_town(log.database)
    with log.owner.transaction() as session:
        session.execute(text("delete from staff_roles where role = 'mediator'"))
        migrated_rows.leave_entry(session.connection())
    removed = log.owner.run(
        lambda session: session.scalar(text("select max(id) from row_changes where op = 'delete'"))
    )
    key = log.owner.run(lambda s: s.scalar(text(f"select row_key from row_changes where id = {removed}")))
    assert [each for each in log.verify().findings if each.kind == "row"] == []
    number = str(key).partition("-")[0]
    log.tamper(f"insert into staff_roles (staff_id, role) values ({number}, 'mediator')")
    (finding,) = (each for each in log.verify().findings if each.kind == "row")
    assert finding.text == (
        f"Row {key} of staff_roles was logged as removed by change {removed}, and is there again: it was put in past "
        "the desk."
    )


def test_the_key_of_a_row_never_changes_and_no_table_is_emptied_at_once(log: Log) -> None:
    builders.a_town(log.database)
    assert "stays as it is" in refused(
        log.owner, "update staff_roles set role = 'finance' where role = 'mediator'"
    )
    assert "under seal" in refused(log.owner, "truncate staff_roles")
    assert "only grows" in refused(log.owner, "delete from row_changes")
    assert "permission denied" in refused(log.database, "delete from row_changes")


def test_rows_of_before_are_taken_in_and_the_migration_says_so(bare_urls: Urls, tmp_path: Path) -> None:
    migrate(bare_urls.owner_url, "0084")
    desk, auditor, owner = (Database(getattr(bare_urls, f"{who}_url")) for who in ("app", "auditor", "owner"))
    with owner.transaction() as session:
        session.execute(text("insert into settlement_currencies values ('EUR', true, 'STRIPE', now())"))
    migrate(bare_urls.owner_url)
    log = Log(desk, auditor, owner, tmp_path)
    log.seal()
    report = log.verify()
    assert report.ok
    assert [each.rows for each in report.taken_in] == [1]
    assert log.rows("select action, after from audit_entries") == [
        ("system:schema:migrate", {"settlement_currencies": 1})
    ]
    log.tamper("update settlement_currencies set settles = false")
    assert log.verify().text.startswith("Row EUR of settlement_currencies (settles) is not what was logged")
    for database in (desk, auditor, owner):
        database.dispose()


def test_people_money_and_rights_are_named_before_what_came_of_them(log: Log) -> None:
    town = builders.a_town(log.database)
    builders.funded(town)
    log.seal()
    assert log.verify().ok
    log.tamper("update engagements set activated_at = now() - interval '400 days'")
    log.tamper("update parties set name = 'Somebody Else' where id = :id", id=town.payer_id)
    report = log.verify()
    tables = [finding.table for finding in report.findings if finding.kind == "row"]
    assert tables[0] == "parties"
    assert {"parties", "engagements"} <= set(tables)
    assert "of parties (name)" in report.text
    if len(report.findings) > SAID:
        assert "not listed here: escrow-desk audit verify --json lists them." in report.text
