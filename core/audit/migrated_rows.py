"""Rows under seal that a migration changes or takes in belong, as any others, to a transaction that says so in the
log."""

from __future__ import annotations

from sqlalchemy import Connection, text

from core.audit.actions import AuditAction

CHANGED = text(
    "select relation, count(*) from public.row_changes where xid = pg_current_xact_id() group by 1"
)
ENTRY = text(
    "select public.record_audit(p_at => now(), p_actor_kind => 'system', p_actor_id => null, p_role => null,"
    " p_action => :action, p_object_kind => 'schema',"
    " p_object_id => (select version_num from public.alembic_version), p_after => ("
    " select jsonb_object_agg(relation, n) from unnest(cast(:relations as text[]), cast(:counts as bigint[]))"
    " as each(relation, n)))"
)


def leave_entry(connection: Connection) -> None:
    """At the end of the transaction of all migrations."""
    if connection.scalar(text("select to_regclass('public.row_changes')")) is None:
        return
    if rows := [tuple(row) for row in connection.execute(CHANGED)]:
        relations, counts = (list(each) for each in zip(*rows, strict=True))
        values = {"relations": relations, "counts": counts}
        connection.execute(ENTRY, {"action": AuditAction.SCHEMA_MIGRATE.by("system"), **values})
