"""Who may connect: `app` (dashboard and worker), `auditor` (reads), and `bookkeeper`, as whom the ledger is written.

Nobody logs in as `bookkeeper`: it owns the functions that write the ledger and may do no more than they need. Tables
give nothing by themselves; every migration grants what its own tables are for.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise NotImplementedError("The desk keeps its records: restore a backup instead of migrating down.")
