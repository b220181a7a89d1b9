"""The schema that the migrations make is the one that the models describe, and it keeps the laws by itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Enum, String, Table, text
from sqlalchemy.exc import DBAPIError, IntegrityError

import core.records.audit
import core.records.ledger  # noqa: F401 (their tables belong to the comparison)
from core.db import Database, Record
from core.embedded_postgres import Urls
from core.migrate import pending
from core.rules.milestones import MOVES, Status
from core.rules.proposals import ProposalStatus
from tests.parties import a_kitchen

VERSIONS = sorted((Path(__file__).resolve().parents[2] / "migrations" / "versions").glob("*.py"))
# Kept by SQL alone: the job queue, and what only the ledger's and the log's own functions touch.
BY_SQL_ALONE = (
    "alembic_version",
    "procrastinate_",
    "milestone_moves",
    "status_moves",
    "personal_data",
    "journal_kinds",
)
MAY_DELETE = {"api_answers", "rate_buckets"}  # what nothing is decided by, and old
BANK_STATEMENTS = ("csv_mappings", "bank_statement_files", "bank_statements", "bank_statement_lines")
APPEND_ONLY = (
    "payment_events",
    "balance_transactions",
    "evidence",
    "policy_versions",
    "audit_entries",
    "seals",
    *BANK_STATEMENTS,
)


def tables(database: Database) -> list[str]:
    found = "select tablename from pg_tables where schemaname = 'public' order by 1"
    with database.reading() as session:
        return [name for name in session.scalars(text(found)) if not name.startswith(BY_SQL_ALONE)]


# Models and migrations


def drift(owner: Database) -> list[str]:
    with owner.engine.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": _other_type}), Record.metadata
        )
    return [words for each in _flat(found) if (words := _told(each)) is not None]


def _flat(found: list[Any]) -> list[tuple[Any, ...]]:
    return [one for each in found for one in (each if isinstance(each, list) else [each])]


def _other_type(context: Any, inspected: Any, metadata: Any, inspected_type: Any, type_: Any) -> bool | None:
    """text, varchar and varchar(n) hold the same; nothing else is tolerated."""
    if isinstance(type_, String):
        return not isinstance(inspected_type, String)
    return None


def _told(change: tuple[Any, ...]) -> str | None:
    kind, about = change[0], change[1] if len(change) > 1 else None
    name = getattr(about, "name", None) or (change[2] if len(change) > 2 else "")
    if kind == "remove_table" and str(name).startswith(BY_SQL_ALONE):
        return None
    table = getattr(getattr(about, "table", None), "name", "")
    if kind in ("remove_index", "remove_constraint") and str(table).startswith(BY_SQL_ALONE):
        return None
    return f"{kind} {table or name} {name} {change[2:] if kind.startswith('modify') else ''}".strip()


def test_models_and_migrations_describe_the_same_schema(owner: Database) -> None:
    assert drift(owner) == []


def test_a_column_that_only_the_database_has_is_found(owner: Database) -> None:
    with owner.transaction() as session:
        session.execute(text("alter table hold_lifts add column forgotten bigint"))
        session.execute(text("alter table hold_lifts alter column hold_id type integer"))
    assert len(drift(owner)) == 2


def test_every_migration_is_applied_to_a_fresh_database(urls: Urls) -> None:
    assert pending(urls.owner_url) == []


# Enums and the database


def stored_enums() -> dict[str, set[str]]:
    """What each column may hold that is text in the database and a member of an enum in the code."""
    found = {}
    for table in Record.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, Enum):
                members = set(column.type.enums)
                # Each kind of proposal ends in its own way.
                of_its_kind = column.type.enum_class is ProposalStatus
                found[f"{table}.{column.name}"] = _listed(table, column.name) if of_its_kind else members
    return found


def _listed(table: Table, column: str) -> set[str]:
    check = next(each for each in table.constraints if each.name == f"{table}_{column}")
    assert isinstance(check, CheckConstraint)
    return set(re.findall(r"'([^']*)'", str(check.sqltext)))


LISTED = r"CHECK \(\(\(?\w+\)?(?:::text)? = (?:ANY \(\(?ARRAY\[)?('.*)\)\)"


def listed_by_the_database(owner: Database) -> dict[str, set[str]]:
    """What a CHECK on one column lets in, where it is a list; a list of one is written as that one."""
    wanted = text(
        "select c.conrelid::regclass || '.' || a.attname, pg_get_constraintdef(c.oid) from pg_constraint c "
        "join pg_attribute a on a.attrelid = c.conrelid and c.conkey = array[a.attnum] where c.contype = 'c'"
    )
    with owner.reading() as session:
        found = session.execute(wanted).all()
    return {
        column: set(re.findall(r"'([^']*)'::", listed[1]))
        for column, check in found
        if (listed := re.fullmatch(LISTED, check))
    }


def test_the_database_lets_in_the_members_of_an_enum_and_nothing_else(owner: Database) -> None:
    listed = listed_by_the_database(owner)
    assert {column: listed.get(column) for column in stored_enums()} == stored_enums()


def test_an_enum_with_one_member_more_than_the_database_is_found(owner: Database) -> None:
    with owner.transaction() as session:
        session.execute(text("alter table settlement_proposals drop constraint settlement_proposals_status"))
        session.execute(
            text(
                "alter table settlement_proposals add constraint settlement_proposals_status"
                " check (status in ('OPEN', 'ACCEPTED'))"
            )
        )
    assert (
        listed_by_the_database(owner)["settlement_proposals.status"]
        != stored_enums()["settlement_proposals.status"]
    )


# The files


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_is_frozen_waits_for_no_lock_and_is_dated(path: Path) -> None:
    assert re.fullmatch(r"\d{4}_\d{2}_\d{2}_\d{4}_[a-z_]+", path.stem)
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.split(".")[0] in {"core", "dashboard", "pages"}], names
    assert "lock_timeout" in source


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_there_is_no_way_down_and_it_says_so(urls: Urls, path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(path.parent.parent))
    config.set_main_option("sqlalchemy.url", urls.owner_url.replace("%", "%%"))
    script = next(
        each
        for each in ScriptDirectory.from_config(config).walk_revisions()
        if Path(each.path).name == path.name
    )
    with pytest.raises(NotImplementedError, match="restore a backup"):
        script.module.downgrade()


def test_going_down_changes_nothing(urls: Urls) -> None:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS[0].parent.parent))
    config.set_main_option("sqlalchemy.url", urls.owner_url.replace("%", "%%"))
    with pytest.raises(NotImplementedError):
        command.downgrade(config, "-1")
    assert pending(urls.owner_url) == []


# The database repeats the laws


def test_the_database_knows_the_moves_of_a_milestone(owner: Database) -> None:
    with owner.reading() as session:
        kept = set(map(tuple, session.execute(text("select from_status, to_status from milestone_moves"))))
    assert kept == {(str(before), str(after)) for (before, _), after in MOVES.items()}


@pytest.mark.unrecorded
@pytest.mark.parametrize("before", Status)
def test_no_other_move_is_possible_even_in_sql(owner: Database, before: Status) -> None:
    kitchen = a_kitchen(owner)
    allowed = {str(after) for (since, _), after in MOVES.items() if since is before}
    with owner.transaction() as session:
        session.execute(text("alter table milestones disable trigger milestones_legal_move"))
        session.execute(text("alter table milestones disable trigger milestones_recorded"))
        ended = "now()" if before is Status.COMPLETED else "null"
        session.execute(text(f"update milestones set status = '{before}', ended_at = {ended}"))
        session.execute(text("alter table milestones enable trigger milestones_legal_move"))
        session.execute(text("alter table milestones disable trigger milestones_case_about_verified"))
    for after in set(Status) - {before}:
        ended = "now()" if after is Status.COMPLETED else "null"
        moving = text(
            f"update milestones set status = '{after}', ended_at = {ended} where id = {kitchen.milestone}"
        )
        with owner.reading() as session:  # thrown away in any case
            if str(after) in allowed:
                session.execute(moving)
            else:
                with pytest.raises(IntegrityError, match="cannot move"):
                    session.execute(moving)


@pytest.mark.unrecorded
def test_what_was_verified_is_disputed_only_while_all_of_its_money_is_held(owner: Database) -> None:
    kitchen = a_kitchen(owner)
    with owner.transaction() as session:
        session.execute(text("alter table milestones disable trigger milestones_legal_move"))
        session.execute(text("alter table milestones disable trigger milestones_recorded"))
        session.execute(text("update milestones set status = 'VERIFIED'"))
    with owner.reading() as session, pytest.raises(IntegrityError, match="not held as a whole"):
        session.execute(text(f"update milestones set status = 'DISPUTED' where id = {kitchen.milestone}"))


def test_app_deletes_and_empties_nothing(owner: Database) -> None:
    asked = "select has_table_privilege('app', :table, :right)"
    with owner.reading() as session:
        may = {
            (table, right)
            for table in tables(owner)
            for right in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
            if session.scalar(text(asked), {"table": f"public.{table}", "right": right})
        }
    assert may == {(table, "DELETE") for table in MAY_DELETE}


def test_the_auditor_writes_nothing(owner: Database) -> None:
    asked = "select has_any_column_privilege('auditor', :table, :right)"
    with owner.reading() as session:
        may = [
            (table, right)
            for table in tables(owner)
            for right in ("INSERT", "UPDATE", "REFERENCES")
            if session.scalar(text(asked), {"table": f"public.{table}", "right": right})
        ]
    assert may == []


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "write", ["delete from {table}", "truncate {table}", "update {table} set {column} = {column}"]
)
def test_what_is_only_added_to_is_refused_to_app_in_raw_sql(
    database: Database, table: str, write: str
) -> None:
    first = (
        "select column_name from information_schema.columns where table_name = :table "
        "order by ordinal_position desc"
    )
    with database.reading() as session:
        column = session.scalars(text(first), {"table": table}).first()
    with pytest.raises(DBAPIError) as refused, database.transaction() as session:
        session.execute(text(write.format(table=table, column=column)))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize(
    "table", ["payment_events", "balance_transactions", "evidence", "policy_versions", *BANK_STATEMENTS]
)
def test_nor_does_the_owner_rewrite_them_by_mistake(owner: Database, table: str) -> None:
    for write in (f"delete from {table}", f"truncate {table} cascade"):
        with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
            session.execute(text(write))


def test_app_makes_no_tables_and_changes_none(database: Database) -> None:
    for write in (
        "create table mine (id int)",
        "alter table decisions add column mine int",
        "drop table holds",
        "alter table decisions disable trigger all",
        "create or replace function refuse_rewrite() returns trigger language sql as 'select null'",
        "set role bookkeeper",
    ):
        with pytest.raises(DBAPIError), database.transaction() as session:
            session.execute(text(write))
