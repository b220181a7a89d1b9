"""Risk reviews, reports and flagged practices that wait for a person, and the drawers that settle them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.actions.risk import practice_flags, report_outcomes, reports, risk_reviews
from core.queries import practice_flags as practice_flag_queries
from core.queries import risk as queries
from core.queries.bounded_list import Listed
from core.queries.practice_flags import Flag
from core.queries.risk import Filed, Review
from core.rules.masking import MASK
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from core.rules.references import reference
from core.rules.reports import ReportKind, ReportOutcome, Source
from core.rules.risk import ReviewOutcome
from dashboard import navigation, readings, request_context
from dashboard.ui import cards, confirm, deadlines, header, kept_choices, reasons, text_fields
from dashboard.ui.safe import html, words_of
from dashboard.ui.status import in_words

OUTCOMES = {ReviewOutcome.CLEARED: "Clear it: money may move", ReviewOutcome.HELD: "Put a hold in its place"}
FOUND = {ReportOutcome.UPHELD: "Upheld", ReportOutcome.DISMISSED: "Dismissed"}


FIRST = 10
"""So many of each kind are drawn, the oldest first; `?most=` asks for more."""


def section() -> None:
    """Nothing at all where nothing waits. The list shows each review and report whole, as its drawer does: whoever
    sees it has read those that are drawn, and they are recorded before."""
    most = min(max(navigation.asked("most") or FIRST, FIRST), queries.MOST)
    with request_context.reading() as session:
        waiting = queries.open_reviews(session, most=most)
        filed = queries.open_reports(session, most=most)
        flags = practice_flag_queries.open_flags(session, most=most)
    if not (waiting or filed or flags):
        return
    readings.note(ReadingKind.RISK_REVIEW, *(row.id for row in waiting))
    readings.note(ReadingKind.REPORT, *(row.id for row in filed if row.details != MASK))
    header.section(
        "Risk reviews", f"{waiting.total:,} open; the money of each waits until its review is settled"
    )
    for review in waiting:
        _review(review)
    _more(waiting)
    if filed or flags:
        header.section("Reports", f"{filed.total + flags.total:,} open; each is settled by a person")
    for report in filed:
        _report(report)
    _more(filed)
    for flag in flags:
        _flag(flag)
    _more(flags)


def _more(rows: Listed[Any]) -> None:
    if rows.note:
        cards.note(rows.note)
        if len(rows) < queries.MOST:
            navigation.link("holds", "Show more", icon=":material/expand_more:", most=len(rows) * 4)


def drawers() -> None:
    """Whichever is open."""
    if facts := confirm.drawer("settle-review"):
        _settle_review(**facts)
    elif facts := confirm.drawer("settle-report"):
        _settle_report(**facts)
    elif facts := confirm.drawer("resolve-practice"):
        _resolve(**facts)


def _review(row: Review) -> None:
    age = deadlines.span(request_context.now() - row.opened_at)
    words = f"{row.amount.text()} · open for {age} · {row.assigned_to or 'unassigned'}"
    _line(f"{row.about}", " ".join(row.reasons), words, "settle-review", row.id, {"review_id": row.id})


def _report(row: Filed) -> None:
    kind, source = (
        ReportKind(row.kind).label,
        "content rule" if row.source == Source.CONTENT_RULE else "a person",
    )
    title = f"{reference('report', row.id)} {kind} · project P-{row.project_id}"
    words = f"{in_words(row.severity)} · from {source} · {deadlines.exact(row.at)}"
    facts = {"report_id": row.id, "title": title, "details": row.details}
    _line(title, row.details, words, "settle-report", row.id, facts)


def _flag(row: Flag) -> None:
    title = f"Practice mismatch · project P-{row.project_id}"
    said = f"Licensed in {row.licensed_in}, needed in {row.needed_in}."
    facts = {"flag_id": row.id, "said": said}
    _line(title, said, deadlines.exact(row.at), "resolve-practice", row.id, facts)


def _line(title: str, said: str, note: str, drawer: str, number: int, facts: dict[str, object]) -> None:
    with cards.panel(), st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(gap="small"):
            st.html(f"<b>{html(title)}</b><p>{html(said)}</p>")
            cards.note(note)
        if request_context.may(Permission.REVIEW_RISK):
            st.button(
                "Settle",
                key=f"open-{drawer}-{number}",
                on_click=confirm.open_drawer,
                args=(drawer,),
                kwargs=facts,
                width="content",
            )


@st.dialog("Settle a review", position="right", on_dismiss=confirm.close_drawer)
def _settle_review(review_id: int) -> None:
    if not confirm.step_up("reviewing-settle-review"):
        return
    with request_context.reading() as session:
        row = queries.review(session, review_id)
    st.text(words_of(row.about))
    for reason in row.reasons:
        st.text(reason)
    st.caption(
        "Every report about this milestone or its project is settled first, and a practice mismatch resolved."
    )
    place = text_fields.named("review", review_id, "note")
    follows, first = list(OUTCOMES), next(iter(OUTCOMES))
    chosen = kept_choices.choice_key(place, "outcome", follows, default=first, key="review-outcome")
    outcome = st.radio("What follows", follows, format_func=OUTCOMES.__getitem__, key=chosen)
    note = reasons.area(place, "What was found", key="review-note")
    intent = confirm.pressed("Settle review", key="settle-review", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: risk_reviews.settle(
                session, actor, now=now, review_id=review_id, outcome=outcome, note=note
            ),
            done="The review is settled.",
            sent=[place],
        )


@st.dialog("Settle a report", position="right", on_dismiss=confirm.close_drawer)
def _settle_report(report_id: int, title: str, details: str) -> None:
    if not confirm.step_up("reviewing-settle-report"):
        return
    st.text(title)
    st.html(f'<p class="ed-quote">{html(details)}</p>')
    place = text_fields.named("report", report_id, "note")
    chosen = kept_choices.choice_key(
        place, "outcome", list(FOUND), default=next(iter(FOUND)), key="report-outcome"
    )
    outcome = st.radio("What was found", list(FOUND), format_func=FOUND.get, key=chosen)
    with request_context.reading() as session:
        follows = report_outcomes.preview(session, report_id, outcome, now=request_context.now())
    st.html(f'<ul class="ed-follows">{"".join(f"<li>{html(each.sentence)}</li>" for each in follows)}</ul>')
    note = reasons.area(place, "Why", key="report-note")
    intent = confirm.pressed("Settle report", key="settle-report", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: reports.settle(
                session,
                actor,
                now=now,
                report_id=report_id,
                outcome=outcome,
                note=note,
                foreseen=follows,
            ),
            done=f"Report {reference('report', report_id)} is settled.",
            sent=[place],
        )


@st.dialog("Resolve a practice mismatch", position="right", on_dismiss=confirm.close_drawer)
def _resolve(flag_id: int, said: str) -> None:
    st.text(said)
    place = text_fields.named("practice", flag_id, "resolution")
    found = reasons.area(place, "How it is resolved", key="practice-resolution")
    intent = confirm.pressed("Resolve", key="resolve-practice")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: practice_flags.resolve(
                session, actor, now=now, flag_id=flag_id, resolution=found
            ),
            done="The mismatch is resolved.",
            sent=[place],
        )
