"""The receipt, the invoice and the credit note of a case whose money has moved, each one press away."""

from __future__ import annotations

import streamlit as st

from core.actions.milestones import receipts
from core.queries import receipts as queries
from core.queries.cases import CaseView
from core.queries.receipts import ReceiptRow
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.case import redaction
from dashboard.ui import download, header


def show(case: CaseView) -> None:
    """Nothing where no paper was written yet, or names are hidden: the papers bear them."""
    if not redaction.shown(case):
        return
    with request_context.reading() as session:
        rows = queries.of_milestone(session, case.context.milestone.id)
    if not rows:
        return
    header.section("Documents")
    with st.container(horizontal=True, gap="small"):
        for row in rows:
            _button(row)


def _button(row: ReceiptRow) -> None:
    desk = request_context.desk()
    download.button(
        f"{row.kind} · {row.total}",
        key=f"paper-{row.id}",
        permission=Permission.READ_CASES,
        name=f"{row.number}.pdf",
        media_type="application/pdf",
        content=lambda actor, now: desk.database.run(
            lambda session: receipts.download(
                session, actor, settings=desk.settings, now=now, receipt_id=row.id
            )[1]
        ),
        help=f"{row.number}. It contains names, so the download is recorded.",
    )
