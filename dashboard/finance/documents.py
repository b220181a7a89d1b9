"""Documents on screen: the list, one of them, their series, and whether a file that somebody brings is one of ours."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.money import percent
from core.queries import documents as queries
from core.queries import downloaded_files
from core.queries.documents import Document, Narrowed, Series
from dashboard import document_download, request_context
from dashboard.ui import cards, confirm, header, tables
from dashboard.ui.safe import plain
from dashboard.ui.status import in_words

MEGABYTES = 20
COLUMNS = [
    tables.mono("number", "Number", width=145),
    tables.money("total", "Total", width=110),
    tables.text("kind", "Kind", width=90),
    tables.status(
        "refund", "Refund", axis="credit note", value=lambda row: row.refund if row.since else None, width=190
    ),
    tables.when("at", "Issued", width=140),
    tables.text("payer", "Payer", width=150),
    tables.text("payee", "Payee", width=150),
    tables.money("tax", "Tax in it", width=90),
    tables.mono("refers_to", "Refers to", width=145),
    tables.mono("milestone", "Milestone", width=86),
]
SERIES = [
    tables.mono("series", "Series"),
    tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform)),
    tables.text("kind", "Kind"),
    tables.text("year", "Year", value=lambda row: str(row.year)),
    tables.count("last", "Numbers given"),
]


def table(wanted: Narrowed) -> Document | None:
    """The list; returns the chosen document."""
    cursor = tables.cursor("before", size=50)
    with request_context.reading() as session:
        rows = queries.documents(session, wanted, cursor.before, cursor.limit)
    chosen = tables.table(
        rows,
        COLUMNS,
        key="documents",
        select=True,
        cursor=cursor,
        download=tables.Table(
            "documents",
            lambda session: tables.every(
                lambda before, size: queries.documents(session, wanted, before, size)
            ),
            filter={
                "kind": wanted.kind,
                "marketplace": wanted.platform,
                "party": wanted.party,
                "from": wanted.period.first if wanted.period else None,
                "to": wanted.period.last if wanted.period else None,
            },
            columns=[*COLUMNS, tables.text("payment_method", "Payment method")],
        ),
        name="Receipts, invoices and credit notes",
    )
    return next((each for each in rows if each.id == chosen), None)


def one(each: Document) -> None:
    header.section(f"{each.kind} {each.number}")
    tax = f"{each.tax.text()} ({percent(each.tax_bps)})" if each.tax_bps else "None stated"
    cards.facts(
        {
            "Total": each.total,
            "Tax in it": tax,
            "Payment method": each.payment_method or "Not known",
            "Refers to": each.refers_to or "Nothing before it",
        }
    )
    if each.since:
        cards.note(each.since)
    document_download.button("Download PDF", receipt_id=each.id, number=each.number)


def series(rows: Sequence[Series]) -> None:
    if rows:
        header.section("Series", "Each counts from one within its year, and leaves no number out")
        tables.small(rows, SERIES, name="Series of documents")


def verify_button() -> None:
    st.button(
        "Verify a file",
        key="open-verify",
        icon=":material/verified:",
        on_click=confirm.open_drawer,
        args=("verify-file",),
    )


def verify_drawer() -> None:
    if confirm.drawer("verify-file") is not None:
        _verify()


@st.dialog("Verify a file", position="right", on_dismiss=confirm.close_drawer)
def _verify() -> None:
    """Nothing in the file is opened: its hash is looked for in the log."""
    file = st.file_uploader(
        "A PDF, CSV or XLSX that is said to come from this desk",
        key="verify-upload",
        max_upload_size=MEGABYTES,
    )
    if file is None:
        cards.note(
            "The log keeps the hash of every receipt, invoice, credit note, statement, table and export that was taken."
        )
        return
    with request_context.reading() as session:
        found = downloaded_files.verify(session, request_context.actor(), file.getvalue())
    if found.genuine:
        st.success(plain(found.words), icon=":material/verified:")
    elif found.names:
        st.error(plain(found.words), icon=":material/gpp_bad:")
    else:
        st.warning(plain(found.words), icon=":material/help:")
    cards.facts({"SHA-256": found.sha256}, columns=1)
    for each in found.taken:
        st.caption(plain(f"{each.at:%-d %b %Y, %H:%M} UTC, audit entry {each.entry_id}: {each.name}"))
