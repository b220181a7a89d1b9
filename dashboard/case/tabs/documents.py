"""The receipt, the invoice and the credit note of a case whose money has moved, each one press away."""

from __future__ import annotations

import streamlit as st

from core.queries import project_documents as queries
from core.queries.cases import CaseView
from dashboard import document_download, request_context
from dashboard.case import redaction
from dashboard.ui import cards, header


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
            document_download.button(f"{row.kind} · {row.total}", receipt_id=row.id, number=row.number)
    for row in rows:
        if row.since:
            cards.note(f"{row.kind} {row.number}: {row.since}")
