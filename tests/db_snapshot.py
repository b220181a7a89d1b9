"""Nothing changed: every row of every table before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from core.db import Database

TABLES = text(
    """
    select format('%I.%I', schemaname, tablename) from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
    and tablename <> 'rate_buckets'  -- a refused request has used its share too
    order by 1
    """
)


def everything(owner: Database) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a hash over all of them."""
    with owner.reading() as session:
        tables = session.scalars(TABLES).all()
        each = (
            f"select '{table}', count(*), coalesce(md5(string_agg(r::text, '|' order by r::text)), '') from {table} r"
            for table in tables
        )
        return {
            name: (rows, digest) for name, rows, digest in session.execute(text(" union all ".join(each)))
        }


@contextmanager
def nothing_changes(owner: Database) -> Iterator[None]:
    before = everything(owner)
    yield
    after = everything(owner)
    assert {name: after[name] for name in after if after[name] != before[name]} == {}
