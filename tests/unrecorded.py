"""Every status that any test stores or changes, seen by a trigger of the tests' own, must have its audit entry.

The triggers lie in the template database, on each column that `statuses.PLACES` names; that these are all there are,
`tests/actions/test_statuses.py` asks the catalogue. After each test its database is asked for changes of which no entry
of the same transaction, about the same object, says so. The check uses nothing that the desk installed itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.rules.statuses import PLACES

# Rows of a queue begin with the entry of whatever put them there, and parts of something with that of the whole.
BEGIN_WITH_ANOTHER = frozenset(
    "operation webhook_event letter outgoing_event milestone payment_order engagement party_request"
    " charge chargeback_acceptance refund_return payout_offer policy_proposal".split()
)

SEEN = """
create schema watch;
create table watch.seen (noun text, number text, was text, became text, xid xid8 default pg_current_xact_id());
grant usage on schema watch to app;
grant insert, select, delete on watch.seen to app;
create function watch.see() returns trigger language plpgsql as $$
declare
    was text;
    became text;
    number text;
begin
    execute format('select ($1).%I::text, ($1).%I::text', tg_argv[1], tg_argv[2]) into became, number using new;
    if tg_op = 'UPDATE' then
        execute format('select ($1).%I::text', tg_argv[1]) into was using old;
    end if;
    if was is distinct from became then
        insert into watch.seen (noun, number, was, became) values (tg_argv[0], number, was, became);
    end if;
    return null;
end $$;
"""
EACH = (
    "create trigger watched after insert or update on public.{table} for each row"
    " execute function watch.see('{noun}', '{column}', '{key}');"
)
UNRECORDED = """
select distinct seen.noun, seen.number, seen.was, seen.became from watch.seen
where not exists (
    select from public.audit_entries e
    where e.object_kind = seen.noun and e.object_id = seen.number and e.xid = seen.xid
      and (seen.was is null or e.after ->> 'status' = became or e.after ->> 'state' = became
           or e.after -> 'through' ? became))
  and not (seen.was is null and seen.noun = any(%s))
"""


def install(owner_url: str) -> None:
    """Watch every status of this database."""
    each = [
        EACH.format(table=table, noun=place.noun, column=place.column, key=place.key)
        for table, place in PLACES.items()
    ]
    with psycopg.connect(_plain(owner_url), autocommit=True) as connection:
        connection.execute(SEEN + "\n".join(each))


def changes(connection: psycopg.Connection) -> list[str]:
    """What changed without an entry, in words. The connection is one of the owner of the tables."""
    if connection.execute("select to_regclass('watch.seen')").fetchone() == (None,):
        return []
    found = connection.execute(UNRECORDED, [sorted(BEGIN_WITH_ANOTHER)])
    return [f"{noun} {number}: {was} → {became}" for noun, number, was, became in found]


def forget(owner_url: str) -> None:
    """What was seen so far belongs to no test."""
    with psycopg.connect(_plain(owner_url), autocommit=True) as connection:
        connection.execute("truncate watch.seen")


def forgive(session: Session) -> None:
    """This transaction writes rows past every action, to begin a test with."""
    session.execute(text("delete from watch.seen where xid = pg_current_xact_id()"))


def admit(session: Session) -> None:
    """Entries for what this transaction changes by hand, so that the commit is not refused."""
    session.flush()
    session.execute(
        text(
            "select record_audit(p_at => now(), p_actor_kind => 'system', p_actor_id => null, p_role => null,"
            " p_action => 'system:test:break', p_object_kind => noun, p_object_id => number,"
            " p_after => jsonb_build_object('status', became, 'state', became)) from watch.seen"
            " where xid = pg_current_xact_id() and was is not null"
        )
    )


def version() -> bytes:
    """A template is only good for the triggers that it was made with."""
    return hashlib.sha256(Path(__file__).read_bytes() + repr(PLACES).encode()).digest()


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)
