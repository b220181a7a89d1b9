"""The log of letters on a page: who was told what, when, and what became of it; each opens as it was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import streamlit as st

from core.actions.milestones import letters as actions
from core.letters.frame import framed
from core.letters.rendering import unwrapped
from core.queries import letter_frames, letters
from core.queries.bounded_list import Listed
from core.queries.letters import LetterRow
from core.rules.notifications import LetterStatus
from core.rules.outside_words import LONGEST_ADDRESS
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from core.rules.references import reference
from dashboard import navigation, readings, request_context
from dashboard.ui import cards, confirm, status, tables
from dashboard.ui.safe import words_of
from dashboard.ui.status import in_words

FRAME = (
    "The greeting and, below the text, how to object, the references, link and contact are added when an e-mail is "
    "sent, and are not kept. They are shown as they would be added now."
)
TOGETHER = "It is part of one e-mail with others: greeting and closing stand once around all of them."
BARE = "This is all that was sent: greeting and closing were not added to e-mails yet."
NONE = ("No e-mails", "Every e-mail about this appears here, with its status.")


def show(
    rows: Sequence[LetterRow],
    *,
    key: str,
    words: Callable[[str], str] = str,
    narrow: bool = False,
    none: tuple[str, str] = NONE,
    download: tables.Table | None = None,
) -> None:
    """Newest first; the chosen one is opened below, at first the one that the address asks for (`letter`).

    `words` is what the text of a letter goes through, where names are hidden; the rows went through it before.
    """
    asked = navigation.asked("letter")
    chosen = tables.table(
        rows,
        _columns(narrow=narrow),
        key=f"{key}-letters",
        select=True,
        download=download,
        name="E-mails",
        empty_state=none,
    )
    if isinstance(rows, Listed) and rows.note:
        cards.note(rows.note)
    number = chosen if chosen is not None else asked
    if number is not None and not any(row.id == number for row in rows):
        cards.note(f"E-mail {reference('letter', number)} is not among these.")
    if row := next((row for row in rows if row.id == number), None):
        readings.note(ReadingKind.EMAIL, row.id)
        with request_context.reading() as session:
            sheet = letters.letter(session, row.id)
            frame = letter_frames.of_letter(session, request_context.desk().settings, row.id)
        if sheet.bare:
            _sheet(row, words(sheet.text), BARE, key=key)
            return
        text, _ = framed(sheet.text, sheet.html, replace(frame, name=words(frame.name)))
        _sheet(row, words(text), f"{FRAME} {TOGETHER}" if row.together else FRAME, key=key)


def _columns(*, narrow: bool) -> list[tables.Column]:
    first = [
        tables.text("number", "E-mail", width=58),
        tables.when("at", "Written", width=138),
        tables.text("reader", "To", width=120 if narrow else 150),
        tables.text("kind", "Kind", width=148 if narrow else 190),
        tables.status("status", "State", axis="notification", width=70),
    ]
    more = [
        tables.when("went", "Sent or due", width=138),
        tables.text("side", "As", width=70, value=lambda row: in_words(row.side)),
        tables.text("subject", "Subject", width=300),
        tables.text("mail", "Mail", width=170, value=lambda row: row.mail or "—"),
    ]
    return [*first, *more]


def _sheet(row: LetterRow, text: str, about: str, *, key: str) -> None:
    with cards.panel(f"{key}-letter"):
        cards.facts(
            {
                "To": f"{row.reader}, {in_words(row.side).lower()}",
                "State": status.pill("notification", row.status).label,
                "Sent": row.sent_at,
                "Mail": row.mail,
                "Tries": row.tries,
                "Goes": "at once" if row.urgent else "with others",
            },
            columns=3,
        )
        if row.error:
            cards.note(row.error)
        st.text(words_of(unwrapped(text)))
        st.caption(about)
        if row.status == LetterStatus.FAILED:
            _again(row, key=key)


def _again(row: LetterRow, *, key: str) -> None:
    if not request_context.may(Permission.SEND_LETTER):
        return
    address = None
    if row.party_id is not None and request_context.may(Permission.CORRECT_ADDRESS):
        address = st.text_input(
            "Corrected address",
            key=f"{key}-address-{row.id}",
            max_chars=LONGEST_ADDRESS,
            placeholder="Leave empty to use the address that is known",
            help="Ask the party. Everything that failed to reach them is then sent there.",
        )
    intent = confirm.pressed("Send again", key=f"{key}-again-{row.id}", icon=":material/replay:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.send_again(
                session, actor, now=now, notification_id=row.id, address=address
            ),
            done=lambda count: (
                "The e-mail is queued again." if count == 1 else f"{count} e-mails are queued again."
            ),
        )


def undelivered(now: datetime) -> None:
    """What was given up, and what is late."""
    with request_context.reading() as session:
        waiting = letters.undelivered(session, now=now)
    show(
        waiting,
        key="operations",
        none=(
            "No e-mail failed or is late",
            "E-mails that failed, or are more than an hour late, appear here.",
        ),
        download=tables.Table(
            "letters-undelivered",
            lambda session: letters.undelivered(session, now=now, limit=None),
            permission=Permission.EXPORT_CASE,
        ),
    )
