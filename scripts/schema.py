"""docs/schema.md: the tables as the migrations make them, drawn from the catalogue of a migrated database.

python -m scripts.schema     draws a copy of the tests' template
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import create_engine, text

from tests.database import fresh_copy, migrated_template, shared_server, stop_if_unused

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "schema.md"
HEAD = """# Schema

Made by `python -m scripts.schema` from a database with every migration applied; a test holds it fresh. Each line
of the picture is a foreign key. Job queue and Alembic's own table are left out.

"""
LEFT_OUT = "procrastinate_%"
COLUMNS = """
    select t.relname, a.attname, format_type(a.atttypid, null), a.attnotnull,
           exists (
               select 1 from pg_constraint c
               where c.conrelid = t.oid and c.contype = 'p' and a.attnum = any(c.conkey)
           )
    from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and t.relname not like :out
      and t.relname <> 'alembic_version'
    order by t.relname, a.attnum
"""
REFERENCES = """
    select distinct c.conrelid::regclass::text, c.confrelid::regclass::text
    from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace
      and c.conrelid::regclass::text not like :out
    order by 1, 2
"""


class Column(NamedTuple):
    table: str
    name: str
    type: str
    required: bool
    key: bool


def drawn(url: str) -> str:
    """The page, for the database at `url`."""
    engine = create_engine(url)
    with engine.connect() as connection:
        columns = [Column(*row) for row in connection.execute(text(COLUMNS), {"out": LEFT_OUT})]
        references = [
            (child, parent) for child, parent in connection.execute(text(REFERENCES), {"out": LEFT_OUT})
        ]
    engine.dispose()
    arrows = "".join(
        f'    {child} }}o--|| {parent} : ""\n' for child, parent in references if child != parent
    )
    tables = "".join(
        _table(name, list(rows)) for name, rows in groupby(columns, key=lambda column: column.table)
    )
    return f"{HEAD}```mermaid\nerDiagram\n{arrows}```\n\n## Tables\n\n{tables}".rstrip() + "\n"


def _table(name: str, columns: list[Column]) -> str:
    cells = ", ".join(
        f"{'**' + each.name + '**' if each.key else each.name} {each.type}{'' if each.required else '?'}"
        for each in columns
    )
    return f"**`{name}`**: {cells}\n\n"


def main() -> None:
    with shared_server() as server, fresh_copy(server, migrated_template(server)) as copy:
        PAGE.write_text(drawn(copy.owner_url), encoding="utf-8")
    stop_if_unused()


if __name__ == "__main__":
    main()
