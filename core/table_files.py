"""A table of a page as a file: its whole filtered result, as of one moment, in a form for machines and spreadsheets.

UTF-8 with a byte-order mark, which Excel asks for; times in UTC to the second; amounts as plain numbers in major units
with the currency in a column of its own; no cell that a spreadsheet would take for a formula. The rows pass through one
by one, so the size of a table does not matter.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import IO, Protocol, TypeVar

from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.audit_export import csv_safe
from core.db import Database
from core.money import Money
from core.rules.permissions import Actor, Permission, require

BOM = b"\xef\xbb\xbf"
AT_ONCE = 5_000
WORDS = "words"  # the key of a filter under which free words stand; they may name a person, so the log says only that
LONGEST_NAME = 120
_UNFIT = re.compile(r"[^A-Za-z0-9.]+")


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row")
NumberedRow = TypeVar("NumberedRow", bound=Numbered)


@dataclass(frozen=True)
class Written:
    """What lies in the file: how many rows under its header, and the SHA-256 of all its bytes."""

    name: str
    rows: int
    sha256: str


def write(
    database: Database,
    actor: Actor,
    *,
    now: datetime,
    permission: Permission,
    table: str,
    filter: Mapping[str, object],
    titles: Sequence[str],
    rows: Callable[[Session], Iterable[Sequence[object]]],
    look: Callable[[Session], None] = lambda session: None,
    out: IO[bytes],
) -> Written:
    """Write the table into `out`, then its entry into the log: nothing leaves unrecorded. `look`: what is masked.

    Raises `NotPermitted`.
    """
    require(actor, permission)
    name = name_of(table, filter, now)
    with database.reading() as session:
        look(session)
        count, digest = pour(titles, rows(session), out)
    _record(database, actor, name, table, filter, {"rows": count, "sha256": digest}, now=now)
    return Written(name, count, digest)


@dataclass(frozen=True)
class Document:
    """A paper made of rows, rather than the rows: `kind` is the ending of its name."""

    name: str
    kind: str
    filter: Mapping[str, object]
    permission: Permission


def document(
    database: Database,
    actor: Actor,
    wanted: Document,
    draw: Callable[[Session], bytes],
    *,
    now: datetime,
    look: Callable[[Session], None] = lambda session: None,
    out: IO[bytes],
) -> Written:
    """The same for a paper. Raises `NotPermitted`."""
    require(actor, wanted.permission)
    with database.reading() as session:
        look(session)
        content = draw(session)
    out.write(content)
    digest = hashlib.sha256(content).hexdigest()
    name = name_of(wanted.name, wanted.filter, now, kind=wanted.kind)
    _record(database, actor, name, wanted.name, wanted.filter, {"sha256": digest}, now=now)
    return Written(name, 0, digest)


def _record(
    database: Database,
    actor: Actor,
    name: str,
    table: str,
    filter: Mapping[str, object],
    done: Mapping[str, object],
    *,
    now: datetime,
) -> None:
    facts = {key: "given" if key == WORDS else str(value) for key, value in given(filter).items()}
    database.run(
        lambda session: audit.record(
            session,
            actor,
            AuditAction.TABLE_EXPORT.by("desk"),
            object_kind="export",
            object_id=name,
            now=now,
            after={"table": table, "filter": facts, **done},
        )
    )


def name_of(table: str, filter: Mapping[str, object], now: datetime, *, kind: str = "csv") -> str:
    """Table, filter and time: `payouts_status-FAILED_20260302T093000Z.csv`; of free words only that there were some."""
    parts = [table]
    parts += [key if key == WORDS else f"{key}-{value}" for key, value in given(filter).items()]
    fit = "_".join(_UNFIT.sub("-", part).strip("-") for part in parts)[:LONGEST_NAME]
    return f"{fit}_{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.{kind}"


def given(filter: Mapping[str, object]) -> dict[str, object]:
    """What really narrows the result."""
    return {key: _plain(value) for key, value in filter.items() if value not in (None, "", False)}


def every(fetch: Callable[[int | None, int], Sequence[NumberedRow]]) -> Iterator[NumberedRow]:
    """All rows of a query that pages by the id before which it begins, newest first."""
    before: int | None = None
    while rows := fetch(before, AT_ONCE):
        yield from rows
        before = rows[-1].id


def through(fetch: Callable[[int, int], Sequence[Row]]) -> Iterator[Row]:
    """All rows of a query that pages by offset."""
    offset = 0
    while rows := fetch(offset, AT_ONCE):
        yield from rows
        offset += len(rows)


def cell(value: object) -> object:
    """One value as it stands in a file. An amount is two cells and is taken apart before (`amount`)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, int | Decimal):
        return value
    return csv_safe(str(_plain(value)))


def amount(value: Money | None) -> list[object]:
    """A plain number in major units with the digits of its currency, which stands beside it."""
    return ["", ""] if value is None else [Decimal(value.major()), value.currency]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return cell(value)
    return value.value if isinstance(value, Enum) else value


def pour(titles: Sequence[str], rows: Iterable[Sequence[object]], out: IO[bytes]) -> tuple[int, str]:
    """Write header and rows; the result is how many rows there were, and the SHA-256 of all bytes."""
    digest, count = hashlib.sha256(BOM), 0
    out.write(BOM)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([csv_safe(title) for title in titles])

    def flush() -> None:
        content = buffer.getvalue().encode()
        digest.update(content)
        out.write(content)
        buffer.seek(0)
        buffer.truncate()

    for row in rows:
        writer.writerow([cell(value) for value in row])
        count += 1
        if count % AT_ONCE == 0:
            flush()
    flush()
    return count, digest.hexdigest()
