"""The proof of one entry, to take along: what it proves, how to verify it, and the file."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.audit import entry_proof
from core.queries.audit import LogEntry
from core.rules.permissions import Actor, Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, download

DRAWER = "entry-proof"
PROVES = (
    "A small file for whoever has neither the log nor this desk, such as a court. It proves that this entry stood in "
    "the log, as it is, when the checkpoint in it was signed. It says nothing of any other entry."
)
VERIFY = (
    "Anybody verifies it with “escrow-desk audit verify-proof FILE --key FINGERPRINT”, without a database; "
    "docs/audit-format.md says how to do it with a program of one's own. Tell them the fingerprint of the signing key "
    "by another way than the file."
)


def button() -> None:
    """For whoever may export the log."""
    if request_context.may(Permission.EXPORT_AUDIT):
        st.button(
            "Proof of this entry",
            key="entry-proof",
            icon=":material/verified:",
            on_click=confirm.open_drawer,
            args=(DRAWER,),
        )


def drawer(entry: LogEntry) -> None:
    if request_context.may(Permission.EXPORT_AUDIT) and confirm.drawer(DRAWER) is not None:
        _drawer(entry)


@st.dialog("Proof of this entry", on_dismiss=confirm.close_drawer)
def _drawer(entry: LogEntry) -> None:
    cards.note(PROVES)
    if entry.seal is None:
        cards.note(
            "No seal covers this entry yet, so nothing proves it so far. The worker seals each second."
        )
        return
    cards.note(VERIFY)
    if not confirm.step_up(DRAWER):
        return
    desk, id = request_context.desk(), entry.id

    def content(actor: Actor, now: datetime) -> bytes:
        folder = desk.settings.home / "checkpoints"
        made = entry_proof.prove(desk.auditor, id, desk=desk.database, actor=actor, now=now, folder=folder)
        return made.content

    download.button(
        "Download the proof",
        key=f"entry-proof-{id}",
        permission=Permission.EXPORT_AUDIT,
        name=f"entry-{id}.proof.json",
        media_type="application/json",
        content=content,
        help="The audit log records who took it.",
        look="primary",
    )
