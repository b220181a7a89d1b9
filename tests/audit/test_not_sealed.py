"""What is not under seal is written down, whole and true: a new table is sealed, or says why it is not."""

from __future__ import annotations

import re
from pathlib import Path

from core.audit.content_hashes import PARTS
from core.audit.not_sealed import NOT_SEALED, SEALED
from core.audit.rows_under_seal import ADDED_BY_THE_WAY, CHANGED_BY_THE_WAY, TABLES
from tests.audit.conftest import Log

FORMATS = Path(__file__).resolve().parents[2] / "docs" / "audit-format.md"
# Of libraries: the queue of jobs, and which migrations were applied.
OTHERS = "procrastinate_%"


def tables(log: Log) -> set[str]:
    found = log.rows(
        "select tablename from pg_tables where schemaname = 'public' and tablename not like :others"
        " and tablename <> 'alembic_version'",
        others=OTHERS,
    )
    return {row[0] for row in found}


def test_every_table_is_sealed_or_says_why_it_is_not(log: Log) -> None:
    # A part may be made of several tables: they are named in its query.
    hashed = tables(log) & {word for part in PARTS.values() for word in re.findall(r"\w+", part.table)}
    assert tables(log) - SEALED - TABLES.keys() == NOT_SEALED.keys()
    assert not NOT_SEALED.keys() & (SEALED | TABLES.keys())
    assert hashed <= TABLES.keys()


def test_every_table_under_seal_is_watched_by_its_primary_key(log: Log) -> None:
    found = log.rows(
        "select c.relname, t.tgargs from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " where t.tgname = 'row_changes'"
    )
    keys = {name: tuple(bytes(arguments).decode().split("\0")[:-1]) for name, arguments in found}
    assert keys == TABLES
    primary = log.rows(
        "select i.indrelid::regclass::text,"
        " array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum))"
        " from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)"
        " where i.indisprimary and i.indrelid::regclass::text = any(:names) group by 1",
        names=list(TABLES),
    )
    assert {name: tuple(columns) for name, columns in primary} == TABLES


def test_what_is_written_by_the_way_are_columns_of_tables_under_seal(log: Log) -> None:
    assert TABLES.keys() >= ADDED_BY_THE_WAY | CHANGED_BY_THE_WAY.keys()
    for table, columns in CHANGED_BY_THE_WAY.items():
        known = log.rows(
            "select column_name from information_schema.columns where table_name = :name", name=table
        )
        assert {row[0] for row in known} >= set(columns.split()), table


def test_the_documentation_says_where_the_lists_are() -> None:
    text = FORMATS.read_text()
    said = text[text.index("## What is not under seal") :]
    assert "core/audit/not_sealed.py" in said
    assert "core/audit/rows_under_seal.py" in said
