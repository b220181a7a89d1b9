"""Changes of several rows, and new rows, written in one statement in the place of one for each table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from sqlalchemy import Insert, Table, Update, bindparam, inspect
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.db import Record


def write_together(session: Session, rows: Iterable[Record], *new: Record) -> None:
    """Flush what was changed of these rows, and these new ones, in one statement, where a flush sends one for each
    table; then the rest.

    Whoever asks has the rows locked, since the order in which one statement changes them is the server's. A new row is
    not part of the session, so what the server fills in is not known.
    """
    changed = {row: _changes(row) for row in rows if inspect(row).persistent}
    written = [(row, values, False) for row, values in changed.items() if values]
    written += [(row, _changes(row), True) for row in new]
    if written:
        statement = _together(tuple((type(row), tuple(values), is_new) for row, values, is_new in written))
        session.connection().execute(statement, _given(written))
    for row, values in changed.items():
        for name, value in values.items():
            set_committed_value(row, name, value)
    session.flush()  # so that a savepoint knows of them; and what else was changed


@cache
def _together(shape: tuple[tuple[type[Record], tuple[str, ...], bool], ...]) -> Update | Insert:
    """The statement for rows of these kinds with these columns, new or not: made and compiled once."""
    statements: list[Update | Insert] = []
    for number, (kind, columns, is_new) in enumerate(shape):
        table = cast(Table, kind.__table__)
        values: dict[str, Any] = {name: bindparam(f"to_{number}_{name}") for name in columns}
        ours = (column == bindparam(f"of_{number}_{column.key}") for column in table.primary_key)
        changing = table.insert() if is_new else table.update().where(*ours)
        statements.append(changing.values(values))
    first, *others = statements
    beside = (each.cte(f"change_{number}") for number, each in enumerate(reversed(others)))
    return first.add_cte(*beside)


def _given(written: Iterable[tuple[Record, dict[str, Any], bool]]) -> dict[str, Any]:
    """The values of that statement."""
    given: dict[str, Any] = {}
    for number, (row, values, is_new) in enumerate(written):
        given |= {f"to_{number}_{name}": value for name, value in values.items()}
        if not is_new:
            keys = (str(column.key) for column in inspect(type(row)).primary_key)
            given |= {f"of_{number}_{name}": getattr(row, name) for name in keys}
    return given


def _changes(row: Record) -> dict[str, Any]:
    same, columns = inspect(row).unmodified, inspect(type(row)).column_attrs
    changed = [column.key for column in columns if column.key not in same]
    return {name: getattr(row, name) for name in changed if inspect(row).attrs[name].history.has_changes()}
