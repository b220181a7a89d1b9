"""The ledger as a file, one row a posting: CSV, XLSX or Parquet, for a period, an account, a currency.

CSV is written by PostgreSQL itself (COPY). Nothing is kept in memory, whatever the size. Amounts stand in major units
as plain numbers with their currency beside them, and once more as signed minor units; times in UTC, to the second.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import IO, Any

import psycopg
from psycopg import ClientCursor
from sqlalchemy.orm import Session

from core import audit_export, parquet_files
from core.audit.actions import AuditAction
from core.audit_export import FORMULA_STARTS, SNAPSHOT, Progress
from core.db import Database
from core.errors import DeskError
from core.gateways.resumed_file import EarlierTry, Trail
from core.ledger.accounts import CHART, ISO_NUMBERS
from core.money import CURRENCIES
from core.replica import HeavyReads
from core.rules.permissions import Actor, Permission, require
from core.table_files import BOM

Batches = Iterator[list[tuple[Any, ...]]]
AT_ONCE = 5_000
PIECE = 1 << 20
SHEET = 1_048_575  # rows under the header of a sheet, which is the most that Excel opens


class LedgerFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


class PeriodUpsideDown(DeskError):
    """There is nothing from {since} to {until}: the first day must not be after the last."""


class AccountNotInChart(DeskError):
    """“{name}” is no line of the chart of accounts. Write its name or its number, such as {example}."""


@dataclass(frozen=True)
class LedgerFilter:
    """Postings from the first to the last day, both included (UTC); of one line of the chart, of one currency."""

    since: date | None = None
    until: date | None = None
    line: str | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise PeriodUpsideDown(since=self.since, until=self.until)

    def facts(self) -> dict[str, str]:
        known = {"from": self.since, "to": self.until, "account": self.line, "currency": self.currency}
        return {name: str(value) for name, value in known.items() if value}

    @classmethod
    def of(cls, facts: Mapping[str, str]) -> LedgerFilter:
        """The other way round than `facts`."""
        since, until = (date.fromisoformat(facts[name]) if name in facts else None for name in ("from", "to"))
        return cls(since, until, facts.get("account"), facts.get("currency"))

    @property
    def of_journals(self) -> str:
        return _all({"j.posted_at >= %(since)s": self.since, "j.posted_at < %(until)s": self.until})

    @property
    def of_postings(self) -> str:
        return _all({"a.line = %(line)s": self.line, "a.currency_number = %(iso)s": self.currency})

    @property
    def values(self) -> dict[str, Any]:
        return {
            "since": self.since and datetime.combine(self.since, time(), UTC),
            "until": self.until and datetime.combine(self.until + timedelta(days=1), time(), UTC),
            "line": self.line and CHART[self.line].number,
            "iso": self.currency and ISO_NUMBERS[self.currency],
        }


def _all(conditions: Mapping[str, object]) -> str:
    return " and ".join(["true", *(each for each, given in conditions.items() if given)])


def line_named(words: str) -> str:
    """The name of a line of the chart, by its name or its account number. Raises `AccountNotInChart`."""
    found = next((name for name, line in CHART.items() if words in (name, str(line.gl_number))), None)
    if found is None:
        example = CHART["stripe_balance"]
        raise AccountNotInChart(name=words, example=f"{example.name} or {example.gl_number}")
    return found


@dataclass(frozen=True)
class Exported:
    """What lies in the file: postings under its header, and the SHA-256 of all its bytes."""

    name: str
    rows: int
    sha256: str


def export_ledger(
    reports: HeavyReads,
    wanted: LedgerFilter,
    format: LedgerFormat,
    out: IO[bytes],
    *,
    desk: Database,
    actor: Actor,
    now: datetime,
    progress: Progress = lambda done, total: None,
) -> Exported:
    """Write the postings into `out` in the order in which they were posted, as of one moment.

    Recorded through `desk` before the first byte leaves, and with the fingerprint at the end.
    `progress(done, total)` counts postings. Raises `NotPermitted`.
    """
    require(actor, Permission.EXPORT_LEDGER)
    name = f"{audit_export.a_name('ledger', now)}.{format}"
    asked = {"format": format, "filter": wanted.facts()}
    audit_export.record(desk, actor, AuditAction.EXPORT_START.by("ledger"), name, now, asked)
    with tempfile.TemporaryFile() as file:  # a workbook is written back and forth
        rows = reports.run(lambda session: write(session, wanted, format, file, progress))
        done = Exported(name, rows, _pass_on(file, out))
    audit_export.record(
        desk, actor, AuditAction.EXPORT_FINISH.by("ledger"), name, now,
        asked | {"rows": done.rows, "sha256": done.sha256},
    )  # fmt: skip
    return done


def _pass_on(file: IO[bytes], out: IO[bytes]) -> str:
    """Copy the file; the result is the SHA-256 of its bytes."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(PIECE):
        digest.update(piece)
        out.write(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class Column:
    """`kind`: text, words (which may begin like a formula), whole, amount or time."""

    name: str
    sql: str
    kind: str = "text"


_DIGITS = " ".join(
    f"when {ISO_NUMBERS[each.code]} then 1e-{each.digits}" for each in CURRENCIES.values() if each.digits != 2
)
_MAJOR = f"abs(p.amount) * (case a.currency_number {_DIGITS} else 0.01 end)"
COLUMNS: Sequence[Column] = (
    Column("journal", "j.id", "whole"),
    Column("posting", "p.place", "whole"),
    Column("posted_at", "j.posted_at", "time"),
    Column("recorded_at", "j.recorded_at", "time"),
    Column("kind", "j.kind"),
    Column("account_number", "h.gl_number", "whole"),
    Column("account", "a.code"),
    Column("account_title", "h.title"),
    Column("account_type", "h.kind"),
    Column("book", "h.book"),
    Column("currency", "a.currency"),
    Column("debit", f"case when p.amount > 0 then {_MAJOR} end", "amount"),
    Column("credit", f"case when p.amount < 0 then {_MAJOR} end", "amount"),
    Column("minor_units", "p.amount", "whole"),
    Column("milestone", "j.milestone_id", "whole"),
    Column("project", "m.project_id", "whole"),
    Column("party", "j.party_id", "whole"),
    Column("memo", "j.memo", "words"),
    Column("reference", "j.key", "words"),
    Column("balance_transaction", "b.id"),
)
CURRENCY_AT = [column.name for column in COLUMNS].index("currency")
# A time is written once for its journal, not for each of its postings: `alone` keeps the planner from moving it there.
FROM = """
from (
    select j.id, j.kind, j.milestone_id, j.party_id, j.memo, j.key, j.account_ids, j.amounts, {times}
    from journals j where {of_journals} {alone}
) j
cross join lateral unnest(j.account_ids, j.amounts) with ordinality as p (account_id, amount, place)
join accounts a on a.id = p.account_id
join chart h on h.line = a.line
left join milestones m on m.id = j.milestone_id
left join balance_transactions b on b.journal_id = j.id
where {of_postings}
"""
# The daily totals know how many they are; the tail is counted.
COUNT = """
select coalesce((
    select sum(a.postings) from daily_totals a
    where {of_postings} and (%(since)s::timestamptz is null or a.day >= (%(since)s at time zone 'UTC')::date)
      and (%(until)s::timestamptz is null or a.day < (%(until)s at time zone 'UTC')::date)
), 0)::bigint + (
    select count(*) from posting_tail p join journals j on j.id = p.journal_id join accounts a on a.id = p.account_id
    where {of_journals} and {of_postings}
)
"""
# What follows those that an earlier try wrote, of what was committed when it began; older epochs count transactions
# otherwise and were committed long ago. Journals are never changed.
GOES_ON = """j.id > %(last)s and (pg_visible_in_snapshot(j.xid, %(snapshot)s::pg_snapshot)
  or j.id <= (select max(journals_after) from seal_epochs))"""
_STARTS = ", ".join(str(ord(start)) for start in sorted(FORMULA_STARTS))


WRITTEN, CUT, PLAIN = 'to_char({0}, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')', "date_trunc('second', {0})", "{0}"
"""How a time is written: as text, cut to its second (a spreadsheet would round it), as the database has it."""


def _query(wanted: LedgerFilter, *, texts: bool, times: str, alone: str = "offset 0", also: str = "") -> str:
    """With `texts`: every value as it stands in a CSV file. `also`: what journals must be besides."""
    columns = ", ".join(f"{_as_text(each) if texts else each.sql} as {each.name}" for each in COLUMNS)
    written = ", ".join(f"{times.format(each.sql)} as {each.name}" for each in COLUMNS if each.kind == "time")
    source = FROM.format(
        of_journals=wanted.of_journals + also, of_postings=wanted.of_postings, times=written, alone=alone
    )
    return f"select {columns} {source} order by j.id, p.place"


def _as_text(column: Column) -> str:
    if column.kind == "words":
        return f"case when ascii({column.sql}) in ({_STARTS}) then '''' || {column.sql} else {column.sql} end"
    return column.sql


def plain_query() -> str:
    """Every posting with the same columns, as the database has them."""
    return _query(LedgerFilter(), texts=False, times=PLAIN, alone="")


def write(
    session: Session,
    wanted: LedgerFilter,
    format: LedgerFormat,
    out: IO[bytes],
    progress: Progress,
    trail: Trail | None = None,
) -> int:
    """The file, and how many postings are in it, without a word to the audit log: `export_ledger` sees to that.

    With a `trail` CSV goes on where an earlier try ended, as of its moment.
    """
    out.seek(0)
    out.truncate()
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(f"{SNAPSHOT}; set local timezone = 'UTC'")
    count = COUNT.format(of_journals=wanted.of_journals, of_postings=wanted.of_postings)
    counted = connection.execute(count.encode(), wanted.values).fetchone()
    total = int(counted[0]) if counted else 0
    progress(0, total)
    if format is LedgerFormat.CSV:
        return _as_csv(connection, wanted, out, total, progress, trail)
    batches = _batches(connection, wanted, total, progress)
    if format is LedgerFormat.XLSX:
        return _as_xlsx(batches, out)
    return parquet_files.write(out, [(each.name, each.kind) for each in COLUMNS], batches)


def _as_csv(
    connection: psycopg.Connection[Any],
    wanted: LedgerFilter,
    out: IO[bytes],
    total: int,
    progress: Progress,
    trail: Trail | None,
) -> int:
    done, last, also, values = -1, b"", "", wanted.values  # the header is no posting

    def written(rows: Iterator[bytes]) -> None:
        nonlocal done, last
        while lines := list(islice(rows, AT_ONCE)):
            out.write(b"".join(lines))
            last = lines[-1]
            done += len(lines)
            progress(max(0, done), total)

    with ClientCursor(connection) as cursor:
        earlier = trail.earlier if trail else None
        if trail:
            now = cursor.execute("select pg_current_snapshot()::text").fetchone()
            assert now is not None
            trail.begin(earlier.snapshot if earlier else now[0])
        if earlier:
            written(_whole_journals(earlier))
            also = f" and {GOES_ON}"
            values |= {"snapshot": earlier.snapshot, "last": _journal(last) or 0}
        if done < 0:
            out.write(BOM)
        query = cursor.mogrify(_query(wanted, texts=True, times=WRITTEN, also=also), values)
        with cursor.copy(f"copy ({query}) to stdout (format csv, header {done < 0})".encode()) as copy:
            written(bytes(line) for line in copy)
    return done


def _whole_journals(earlier: EarlierTry) -> Iterator[bytes]:
    """The header, and every row of the journals that are there whole: of the last, rows may be missing."""
    rows: list[bytes] = []
    for row in earlier.rows(quoted=True):
        if rows and _journal(rows[0]) != _journal(row):
            yield from rows
            rows = []
        rows.append(row)


def _journal(row: bytes) -> int | None:
    """The journal of a row of the file; None of the header."""
    number = row.partition(b",")[0]
    return int(number) if number.isdigit() else None


def _batches(
    connection: psycopg.Connection[Any], wanted: LedgerFilter, total: int, progress: Progress
) -> Batches:
    with connection.cursor("ledger_export") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(_query(wanted, texts=False, times=CUT).encode(), wanted.values)
        done = 0
        while rows := cursor.fetchmany(AT_ONCE):
            yield rows
            done += len(rows)
            progress(done, total)


def _as_xlsx(batches: Batches, out: IO[bytes]) -> int:
    """Sheets of at most a million rows; numbers are numbers, amounts have the decimals of
    their currency, and times are dates, in UTC."""
    from xlsxwriter import Workbook

    asked = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "remove_timezone": True,
    }
    count = 0
    with Workbook(out, asked) as book:
        looks = {
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        amounts = {
            each.code: book.add_format({"num_format": each.number_format}) for each in CURRENCIES.values()
        }
        head = book.add_format({"bold": True})
        for row in (row for rows in batches for row in rows):
            if count % SHEET == 0:
                sheet = _sheet(book, count // SHEET + 1, head)
            for place, (column, value) in enumerate(zip(COLUMNS, row, strict=True)):
                if isinstance(value, str):
                    sheet.write_string(count % SHEET + 1, place, value)
                elif value is not None:
                    look = amounts[row[CURRENCY_AT]] if column.kind == "amount" else looks.get(column.kind)
                    sheet.write(count % SHEET + 1, place, value, look)
            count += 1
        if not count:
            _sheet(book, 1, head)
    return count


def _sheet(book: Any, number: int, head: Any) -> Any:
    sheet = book.add_worksheet("Ledger" if number == 1 else f"Ledger {number}")
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, 19 if column.kind in ("time", "words") else 14)
        sheet.write_string(0, place, column.name, head)
    return sheet
