"""Temporary tables come last: nobody lays one before what a guard reads.

The statements lie beside this file as SQL, frozen as they were on the day they were written.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0134"
down_revision = "0133"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    bind.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    # Through the driver's own cursor: SQLAlchemy would take a % in the text for a parameter.
    bind.connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise NotImplementedError("The desk keeps its records: restore a backup instead of migrating down.")
