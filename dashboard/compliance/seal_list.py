"""The chain of seals, newest first, each with whether it was signed outside the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from core import table_files
from core.queries import seals
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.compliance import audit_verification
from dashboard.ui import cards, tables


def _every(session: Session, folder: Path) -> Iterator[seals.SealRow]:
    before = None
    while rows := seals.page(session, folder, before=before, limit=table_files.AT_ONCE):
        yield from rows
        before = rows[-1].n


def show() -> None:
    older = tables.cursor("seal", size=50)
    folder = request_context.desk().settings.home / "checkpoints"
    with request_context.reading() as session:
        sealed = seals.page(session, folder, before=older.before, limit=older.limit)
    tables.table(
        sealed,
        [
            tables.count("n", "Seal", width=70),
            tables.when("sealed_at", "Sealed", width=160),
            tables.count("entries", "Entries", width=80),
            tables.count("journals", "Journals", width=80),
            tables.count("changes", "Row changes", width=110),
            tables.flag("signed", "Checkpoint", value=lambda row: bool(row.signed_at), width=100),
            tables.when("signed_at", "Signed", width=160),
            tables.mono("hash", "Hash", width=520),
        ],
        key="seals",
        id="n",
        cursor=older,
        download=tables.Table(
            "seals",
            lambda session: _every(session, folder),
            permission=Permission.EXPORT_AUDIT,
        ),
        name="Seals, newest first",
        empty_state=(
            "Nothing is sealed yet",
            "The worker seals, while it runs.",
        ),
    )
    audit_verification.key()
    cards.note("Each covers a closed range of transactions and holds the hash of the one before.")
