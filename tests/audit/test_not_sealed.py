"""What is not under seal is written down, whole and true: a new table is sealed, or says why it is not."""

from __future__ import annotations

import re
from pathlib import Path

from core.audit.content_hashes import PARTS
from core.audit.not_sealed import NOT_SEALED, SEALED, Why
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
    assert tables(log) - SEALED - hashed == NOT_SEALED.keys()
    assert not NOT_SEALED.keys() & (SEALED | hashed)


def test_the_documentation_names_every_table_that_matters_and_is_not_sealed() -> None:
    text = FORMATS.read_text()
    said = text[text.index("## What is not under seal") :]
    for table, why in NOT_SEALED.items():
        assert (f"`{table}`" in said) == (why is Why.GAP), table
