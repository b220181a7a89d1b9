"""Every row that is under seal as it is today, against the last change that was logged of it; and the changes of each
row against one another.

A row that SQL altered, put in or removed with the triggers switched off is not what its last change says. One that was
altered so, and written by the desk afterwards, has a gap in its changes. One that was changed with the triggers on, but
past the desk, has a change whose transaction left neither an audit entry nor a journal. The changes themselves are
sealed rows, as entries and journals are (`core.audit.canonical`). No function of the database is asked: whoever altered
rows may have altered those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from core.audit.actions import AuditAction
from core.audit.rows_under_seal import ADDED_BY_THE_WAY, CHANGED_BY_THE_WAY, TABLES
from core.audit.verification_report import Finding

# What PostgreSQL's text of a row depends on: the same as in the trigger that logs changes.
AS_LOGGED = (
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO'",
    "set local intervalstyle = 'postgres'",
    "set local bytea_output = 'hex'",
    "set local extra_float_digits = 1",
    "set local enable_seqscan = on",
)
AT_ONCE = 500
MARK = 4
NO_MARK = b"\0" * MARK
HASH = "sha256(uuid_send({salt}) || convert_to(rtrim(left({row}, -1), ','), 'UTF8'))"
# Nulls at the end of a row say nothing: a column that was added since changes no hash.
OTHER = """
with last as (
    select distinct on (row_key) row_key, id, digest, salt from public.row_changes where relation = :relation
    order by row_key, id desc
)
select coalesce(last.row_key, now.number) as row_key, last.id, last.id is null as unknown,
       last.digest is null as back, now.number is null as gone
from last full join (
    select concat_ws('-', {keys}) collate "C" as number, r::text as words from public.{table} r
) now on now.number = last.row_key
where last.digest is distinct from {hash} or (now.number is not null and last.digest is null)
order by last.id nulls first
"""
# A row as it is now beside the marks of a change: which columns are not what was logged.
MARKS = """
select c.id, each.name, each.value is null as empty, c.marks,
       coalesce(substring(sha256(uuid_send(c.salt) || convert_to(each.value, 'UTF8')) for 4), '\\x00000000') as mark
from public.row_changes c join public.{table} r on concat_ws('-', {keys}) = c.row_key
cross join lateral json_each_text(row_to_json(r)) with ordinality as each (name, value, n)
where c.id = any(:ids) order by c.id, each.n
"""
GAPS = """
select * from (
    select id, relation, row_key, op, before, marks, columns,
           lag(digest) over each as was, case when lag(salt) over each = salt then lag(marks) over each end as marked
    from public.row_changes window each as (partition by relation, row_key order by id)
) change
where (op in ('update', 'delete') and before is distinct from was) or (op = 'insert' and was is not null)
order by id
"""
# Transactions are counted anew in each epoch: a change and its entry, or the journal that it is about, are of one.
PAST_THE_DESK = """
with epochs as (
    select array_agg(changes_after order by epoch) as changes, array_agg(entries_after order by epoch) as entries,
           array_agg(journals_after order by epoch) as journals
    from public.seal_epochs
), by_the_way as (
    select rolname from pg_roles where not rolsuper and pg_has_role(oid, 'app', 'member')
)
select c.id, c.relation, c.row_key, c.op, c.columns, c.login from public.row_changes c, epochs
where not exists (
    select from public.audit_entries e
    where e.xid = c.xid and width_bucket(e.id - 1, epochs.entries) = width_bucket(c.id - 1, epochs.changes)
) and not exists (
    select from public.journals j
    where j.xid = c.xid and width_bucket(j.id - 1, epochs.journals) = width_bucket(c.id - 1, epochs.changes)
) and not (
    c.login in (select rolname from by_the_way) and (
        c.op = 'insert' and c.relation = any(:added)
        or c.op = 'update' and string_to_array(c.columns, ' ')
            <@ string_to_array(coalesce(cast(:changed as jsonb) ->> c.relation, ''), ' ')
    )
)
order by c.id
"""
UNWATCHED = """
select relation from unnest(cast(:relations as text[])) as relation where not exists (
    select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = to_regclass('public.' || quote_ident(relation)) and p.proname = 'log_row_change'
      and t.tgenabled in ('O', 'A')
) order by relation
"""
# A salt is destroyed when the person whose words stood there is erased: in that transaction the row was changed again.
ERASING = (AuditAction.PERSON_ERASE.by("staff"), AuditAction.PERSON_ERASE_DOCUMENTS.by("system"))
WITHOUT_SALT = """
with epochs as (
    select array_agg(changes_after order by epoch) as changes, array_agg(entries_after order by epoch) as entries
    from public.seal_epochs
), erasing as materialized (
    select distinct e.xid, width_bucket(e.id - 1, epochs.entries) as epoch from public.audit_entries e, epochs
    where e.action = any(:erasing)
), erased as materialized (
    select c.relation, c.row_key, max(c.id) as last from public.row_changes c cross join epochs
    join erasing on erasing.xid = c.xid and erasing.epoch = width_bucket(c.id - 1, epochs.changes)
    where c.op = 'update' group by c.relation, c.row_key
)
select c.id, c.relation, c.row_key, c.columns, coalesce(c.id < erased.last, false) as by_right
from public.row_changes c left join erased on erased.row_key = c.row_key
    and erased.relation = case c.relation when 'offers' then 'settlement_proposals' else c.relation end
where c.salt is null order by c.id
"""
TAKEN_IN = """
select min(recorded_at) as at, count(*) as rows from public.row_changes where op = 'take_in' group by xid order by 1
"""
COLUMNS = """
select attname from pg_attribute where attrelid = to_regclass('public.' || quote_ident(:table)) and attnum > 0
    and not attisdropped order by attnum
"""
DID = {"insert": "put in", "update": "changed", "delete": "removed", "take_in": "taken in as it was found"}


@dataclass(frozen=True)
class TakenIn:
    """Rows that were there before their table was under seal: as they were then, and unproved for the time before."""

    at: datetime
    rows: int


def compare(session: Session) -> Iterator[Finding]:
    """Whatever is not as it was logged, table by table."""
    for statement in AS_LOGGED:
        session.execute(text(statement))
    for table in session.scalars(text(UNWATCHED), {"relations": list(TABLES)}):
        yield Finding("row", "unwatched", why=table, table=table)
    for table, keys in TABLES.items():
        yield from _others(session, table, ", ".join(f'r."{key}"' for key in keys))
    yield from _gaps(session)
    by_the_way = {"added": sorted(ADDED_BY_THE_WAY), "changed": json.dumps(dict(CHANGED_BY_THE_WAY))}
    for change in session.execute(text(PAST_THE_DESK), by_the_way).yield_per(AT_ONCE):
        did = f"{DID[change.op]} by the database login {change.login}"
        why = f"{_named(change, _words(change.columns))} was {did}"
        yield Finding("row", "row_unrecorded", id=change.id, why=why, table=change.relation)


def without_salt(session: Session) -> tuple[list[Finding], int]:
    """Changes whose salt was destroyed and of which no erasure tells; and how many were erased by right."""
    found, by_right = [], 0
    for change in session.execute(text(WITHOUT_SALT), {"erasing": list(ERASING)}).yield_per(AT_ONCE):
        by_right += change.by_right
        if not change.by_right:
            found.append(
                Finding("row", "salt_gone", id=change.id, why=_named(change, ""), table=change.relation)
            )
    return found, by_right


def taken_in(session: Session) -> tuple[TakenIn, ...]:
    return tuple(TakenIn(row.at, row.rows) for row in session.execute(text(TAKEN_IN)))


def _others(session: Session, table: str, keys: str) -> Iterator[Finding]:
    wanted = OTHER.format(table=f'"{table}"', keys=keys, hash=HASH.format(salt="last.salt", row="now.words"))
    found = session.execute(text(wanted), {"relation": table}).yield_per(AT_ONCE)
    for some in found.partitions():
        altered = [row.id for row in some if not row.back and not row.gone]
        columns = _altered_columns(session, table, keys, altered) if altered else {}
        for row in some:
            came = "row_unknown" if row.unknown else "row_back" if row.back else None
            wrong = came or ("row_gone" if row.gone else "row_altered")
            named = f"Row {row.row_key} of {table}{_words(columns.get(row.id, ''))}"
            yield Finding("row", wrong, id=row.id, why=named, table=table)


def _altered_columns(session: Session, table: str, keys: str, changes: Sequence[int]) -> dict[int, str]:
    """By change, the names of the columns that are not what it says."""
    found: dict[int, list[Row[tuple[object, ...]]]] = {}
    wanted = text(MARKS.format(table=f'"{table}"', keys=keys))
    for row in session.execute(wanted, {"ids": list(changes)}):
        found.setdefault(row.id, []).append(row)
    return {id: " ".join(_unlike(rows)) for id, rows in found.items()}


def _unlike(rows: Sequence[Row[tuple[object, ...]]]) -> Iterator[str]:
    for row, mark in zip_longest(rows, _marks(rows[0].marks)):
        if row is not None and (not row.empty if mark is None else row.mark != mark):
            yield row.name


def _gaps(session: Session) -> Iterator[Finding]:
    """Between two changes of a row it was altered past the log."""
    for change in session.execute(text(GAPS)).yield_per(AT_ONCE):
        columns = _words(" ".join(_between(session, change)))
        yield Finding("row", "row_gap", id=change.id, why=_named(change, columns), table=change.relation)


def _between(session: Session, change: Row[tuple[object, ...]]) -> Iterator[str]:
    """The columns that this change did not change, and that are not what the change before it says."""
    if not change.marks or not change.marked:
        return
    names = session.scalars(text(COLUMNS), {"table": change.relation})
    changed = (change.columns or "").split()
    for name, now, then in zip(names, _marks(change.marks), _marks(change.marked), strict=False):
        if now != then and name not in changed:
            yield name


def _marks(joined: bytes) -> list[bytes]:
    return [joined[at : at + MARK] for at in range(0, len(joined), MARK)]


def _named(change: Row[tuple[object, ...]], columns: str) -> str:
    return f"Row {change.row_key} of {change.relation}{columns}"


def _words(columns: str | None) -> str:
    return f" ({', '.join(columns.split())})" if columns else ""
