"""One journal: its postings, and everything that it is tied to."""

from __future__ import annotations

from datetime import date, datetime

import streamlit as st

from core.queries.journals import JournalDetail, title
from dashboard import navigation
from dashboard.finance import books
from dashboard.ui import cards, deadlines, header, money, tables
from dashboard.ui.status import Pill


def seal(journal: JournalDetail) -> Pill:
    """Whether a seal covers it: then no change of it could go unnoticed."""
    if journal.seal is None:
        return Pill("Not sealed yet", "wait", meaning="Its range is closed and sealed within moments.")
    return Pill(f"Seal {journal.seal}", "good", meaning=f"Sealed {journal.sealed_at:%-d %b %Y, %H:%M} UTC.")


def postings(journal: JournalDetail) -> None:
    """Debits and credits, with their sums."""
    books.open_account(
        journal.legs,
        journal.currency,
        columns=books.LEGS,
        key="legs",
        download=tables.Table("postings", lambda session: journal.legs, filter={"journal": journal.id}),
        name="Postings",
    )
    debits, credits = journal.sums()
    if journal.converted:
        cards.note(journal.converted.sentence)
    difference = (debits - credits).text()
    cards.note(f"Debits {money.text(debits)} · Credits {money.text(credits)} · Difference {difference}")


def facts(journal: JournalDetail) -> None:
    cards.facts(
        {
            "What": title(journal.kind),
            "Posted": journal.posted_at,
            **({"Late": said} if (said := late(journal)) else {}),
            "Recorded": journal.recorded_at,
            "Key": journal.key,
            "Milestone": journal.milestone,
            "Party": journal.party,
            "Balance transaction": journal.transaction,
            "Proof": seal(journal),
        }
    )


def late(journal: JournalDetail) -> str:
    """For when it is, where it came too late for that day; empty of every other journal."""
    if when := journal.cause.get("late_for"):
        return f"For {deadlines.day(datetime.fromisoformat(str(when)))}, which was closed"
    if day := journal.cause.get("of_day"):
        return f"Stripe's line is of {deadlines.day(date.fromisoformat(str(day)))}"
    return ""


def ties(journal: JournalDetail) -> None:
    """The way to what caused it."""
    header.section("Source document")
    with st.container(horizontal=True, gap="medium"):
        if journal.case_id:
            navigation.link(
                "case", f"Case D-{journal.case_id}", icon=":material/folder_open:", id=journal.case_id
            )
        if journal.project_id:
            navigation.link(
                "project",
                f"Project P-{journal.project_id}",
                icon=":material/home_work:",
                id=journal.project_id,
            )
        if journal.milestone_id:
            navigation.link(
                "journals",
                "Journals of this milestone",
                icon=":material/menu_book:",
                milestone=journal.milestone_id,
            )
        if number := journal.cause.get("manual_journal"):
            navigation.link(
                "manual_journals", f"Manual journal MJ-{number}", icon=":material/edit_note:", id=number
            )
        if journal.operation_id:
            navigation.link(
                "operations",
                f"Operation {journal.operation_id}",
                icon=":material/sync_alt:",
                id=journal.operation_id,
            )
    st.json(dict(journal.cause), expanded=True)
