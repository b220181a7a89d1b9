"""The ledger: journals, balances, and the one function that posts.

The statements lie beside this file as SQL, frozen as they were on the day they were written.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise NotImplementedError("The desk keeps its records: restore a backup instead of migrating down.")
