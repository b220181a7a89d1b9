"""Receipts, invoices and credit notes of a project, and what both sides said about each other in the end."""

from __future__ import annotations

import streamlit as st

from core.queries import project_documents as queries
from core.queries import reviews
from dashboard import document_download, request_context
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.safe import html


def show(project_id: int) -> None:
    with request_context.reading() as session:
        rows = queries.of_project(session, project_id)
        asked = reviews.of_project(session, project_id)
    if rows:
        _receipts(rows)
    if asked.asked_at:
        _reviews(asked)


def _receipts(rows: list[queries.ReceiptRow]) -> None:
    header.section("Receipts and invoices", "each with the scope as it was agreed that day")
    tables.small(
        rows,
        [
            tables.text("number", "Number"),
            tables.text("kind", "Kind"),
            tables.text("milestone", "Milestone"),
            tables.money("total", "Total"),
            *([tables.text("since", "Since then")] if any(row.since for row in rows) else []),
            tables.when("at", "Issued"),
        ],
        name="Receipts and invoices",
    )
    by_id = {row.id: f"{row.number} · {row.kind} · {row.total.text()}" for row in rows}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        number = st.selectbox(
            "Document", list(by_id), format_func=by_id.__getitem__, key="receipt", width=360
        )
        document_download.button("Download PDF", receipt_id=number, number=by_id[number].split(" ")[0])


def _reviews(asked: reviews.Round) -> None:
    header.section("Reviews", f"{asked.given} of 2 are in")
    if not asked.revealed_at:
        cards.note(
            f"Hidden until both are in, or until {deadlines.exact(asked.due_at)}." if asked.due_at else ""
        )
    for each in asked.shown:
        with cards.panel():
            st.html(f"<b>{html(each.author)}</b>, {each.stars} of 5<p>{html(each.body)}</p>")
