"""The button that takes a receipt, an invoice or a credit note as a PDF; the download is recorded with its hash."""

from __future__ import annotations

from core.actions.milestones import documents
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import download


def button(label: str, *, receipt_id: int, number: str) -> None:
    desk = request_context.desk()
    download.button(
        label,
        key=f"document-{receipt_id}",
        permission=Permission.READ_CASES,
        name=f"{number}.pdf",
        media_type="application/pdf",
        content=lambda actor, now: desk.database.run(
            lambda session: documents.download(
                session, actor, settings=desk.settings, now=now, receipt_id=receipt_id
            )[1]
        ),
        help=f"{number}. It contains names, so the download is recorded; by its hash the file is known again.",
    )
