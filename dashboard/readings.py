"""What a page shows of people is written down before it is shown, and not with every drawing again."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.actions.privacy import readings
from core.db import is_away
from core.queries import word_search
from core.rules.masking import hides
from core.rules.readings import FEW, ReadingKind, ReadingNotRecorded, is_due
from dashboard import navigation, request_context
from dashboard.ui import errors

log = structlog.get_logger("dashboard")


def note(kind: ReadingKind, *numbers: int) -> None:
    """Ends the page with a sentence where it cannot be recorded."""
    known: dict[tuple[ReadingKind, int], datetime] = st.session_state.setdefault("desk:read", {})
    actor, now = request_context.actor(), request_context.now()
    due = sorted(number for number in numbers if is_due(known.get((kind, number)), now))
    if not due:
        return

    def write(session: Session) -> None:
        for number in due:
            readings.note(session, actor, now=now, kind=kind, number=number)

    try:
        request_context.desk().database.run(write)
    except DBAPIError as problem:
        if is_away(problem):
            raise
        log.exception("reading.not_recorded", kind=kind, numbers=due)
        errors.show(ReadingNotRecorded())
        navigation.end()
    known |= {(kind, number): now for number in due}


def looked_for(words: str, *, page: str | None = None) -> None:
    """Of words that are looked for among names which this page masks: whom they find is known by name from then on.
    Whoever sees names, or finds many, learns nothing by it."""
    page = page or request_context.shown()
    if not words.strip() or not hides(request_context.actor().roles, page):
        return
    with request_context.reading(page) as session:
        found = word_search.few_named(session, words, most=FEW)
    note(ReadingKind.FOUND_BY_NAME, *found)
