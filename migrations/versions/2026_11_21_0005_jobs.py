"""The job queue: procrastinate's own schema, as the pinned version of that library ships it.

Its text belongs to the library, so it is read from the library and not copied here.
"""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON
    procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
-- Functions belong to nobody by default (0001); these are the library's own, and no others.
DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'procrastinate\\_%'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO app', routine);
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    bind = op.get_bind()
    bind.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    cursor = bind.connection.cursor()
    cursor.execute(SchemaManager.get_schema())
    cursor.execute(GRANTS)


def downgrade() -> None:
    raise NotImplementedError("The desk keeps its records: restore a backup instead of migrating down.")
