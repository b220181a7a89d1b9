"""Closing on screen: a checklist that names what is missing, the signed summaries, and a reopening that takes two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import streamlit as st

from core import audit, report_files, table_files
from core.actions.periods import closing, reopening
from core.queries import periods as queries
from core.queries.periods import PeriodRow, YearResult
from core.rules import periods as rules
from core.rules.periods import Item, PeriodKind, Span
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.ui import (
    cards,
    confirm,
    deadlines,
    download,
    header,
    reasons,
    second_person,
    tables,
    text_fields,
)
from dashboard.ui.master_detail import Listing
from dashboard.ui.safe import html, plain
from dashboard.ui.second_person import Answer

COLUMNS = [
    tables.text("words", "Period", width=150),
    tables.status("status", "Status", axis="period", width=105),
    tables.when("closed_at", "Closed at", width=150),
    tables.text("closed_by", "Closed by", width=140),
    tables.count("journals", "Journals", width=85),
    tables.text("explanation", "Explanation", width=220),
    tables.text("reopened_why", "Reopened because", value=lambda row: row.reopened_because),
]
FILE = [
    *COLUMNS,
    tables.text(
        "sha256", "SHA-256 of the summary", value=lambda row: audit.period_summary.digest(row.summary)
    ),
]
# Where each item of the checklist is seen to; *Periods* by itself shows what is to be closed first.
SEEN_TO = {
    "in_order": "periods",
    "reconciled": "reconciliation",
    "breaks": "reconciliation",
    "suspense": "reconciliation",
    "checks": "checks",
}
LISTING = Listing(
    key="periods",
    name="Closed periods",
    columns=COLUMNS,
    first=3,
    page=queries.rows,
    file=FILE,
    empty_state=("Nothing was ever closed", "Close the first day or month when its checklist is done."),
)


def overdue(due: Span | None, now: datetime) -> bool:
    """The first open day or month, where it should be closed by now."""
    if due is None or now <= rules.closed_by(due):
        return False
    st.warning(
        f"**{due.words} is not closed.** It was to be closed by {deadlines.exact(rules.closed_by(due))}, "
        f"{deadlines.ago(rules.closed_by(due), now)}.",
        icon=":material/event_busy:",
    )
    return True


def next_close(kind: PeriodKind, day: date | None, since: date | None, now: datetime) -> None:
    """The checklist of what is to be closed, and the button; what is missing is named, and the button waits for it."""
    begins = request_context.desk().settings.fiscal_year_begins
    wanted = rules.span(kind, day or _next(kind, since, now, begins), year_begins=begins)
    with request_context.reading() as session:
        items = queries.standing(session, wanted, now=now)
        results = queries.results(session, wanted) if kind is PeriodKind.YEAR else []
    with cards.panel("close-panel"):
        header.section(
            f"Close {wanted.words}", "Everything has to be so, or explained where that is possible."
        )
        st.html(_listed(items))
        if kind is PeriodKind.YEAR:
            _result(results)
        explanation = ""
        place = text_fields.named("period", 0, f"explanation-{wanted.in_file_names}")
        if any(each.explainable and not each.met for each in items):
            explanation = reasons.line(
                place,
                "Why it is closed all the same; it is signed with the rest",
                key=f"close-explanation-{wanted.in_file_names}",
            )
        _button(wanted, items, explanation, place, begins)


def _next(kind: PeriodKind, since: date | None, now: datetime, begins: int) -> date:
    """The first open day or month, and at the beginning the last that is over; of fiscal years always that."""
    if kind is PeriodKind.YEAR:
        return rules.year_start(now.date(), begins) - timedelta(days=1)
    if since is not None:
        return since
    today = now.date()
    return today - timedelta(days=1) if kind is PeriodKind.DAY else today.replace(day=1) - timedelta(days=1)


def _listed(items: Sequence[Item]) -> str:
    rows = "".join(
        f'<tr><td><span class="ed-pill ed-{tone}">{word}</span></td><td>{_law(each)}</td>'
        f"<td>{html(each.found)}</td></tr>"
        for each in items
        for tone, word in [_state(each)]
    )
    return f'<div class="ed-wide"><table class="ed-table" aria-label="Checklist"><tbody>{rows}</tbody></table></div>'


def _law(item: Item) -> str:
    """It opens where it is seen to; that a period is over nobody can see to."""
    page = SEEN_TO.get(item.name)
    return f'<a href="/{page}" target="_self">{html(item.law)}</a>' if page else html(item.law)


def _result(results: Sequence[YearResult]) -> None:
    """What the closing entries would move, before anybody presses."""
    if not results:
        cards.note("Nothing is on income or expense, so nothing moves to retained earnings.")
        return
    rows = "".join(
        f"<tr><td>{html(each.currency)}</td>"
        + "".join(
            f'<td class="ed-num">{html(amount.text())}</td>'
            for amount in (each.income, each.expenses, each.result)
        )
        + "</tr>"
        for each in results
    )
    st.html(
        '<div class="ed-wide"><table class="ed-table" aria-label="Closing entry"><thead><tr><th>Currency</th>'
        '<th class="ed-num">Income</th><th class="ed-num">Expenses</th>'
        f'<th class="ed-num">To retained earnings</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _state(item: Item) -> tuple[str, str]:
    if item.met:
        return ("info", "At closing") if item.again else ("good", "Done")
    return ("wait", "To be explained") if item.explainable else ("bad", "Missing")


def _button(wanted: Span, items: Sequence[Item], explanation: str, place: str, begins: int) -> None:
    missing = rules.missing(items, explanation=explanation)
    stops = [each for each in missing if not each.explainable]
    desk = request_context.desk()
    intent = confirm.pressed(
        f"Close {wanted.words}", key="close-period", money=True, icon=":material/lock:", disabled=bool(stops)
    )
    if intent:
        signer = audit.desk_signer(desk.database, desk.settings.home, now=request_context.now())
        confirm.carry_out(
            intent,
            lambda session, actor, now: closing.close(
                session,
                actor,
                now=now,
                kind=wanted.kind,
                day=wanted.last,
                signer=signer,
                explanation=explanation,
                year_begins=begins,
            ),
            done=f"{wanted.words} is closed, and its summary is signed.",
            sent=[place] if explanation else [],
        )


def closed(rows: Sequence[PeriodRow], cursor: tables.Cursor) -> None:
    """What was closed, newest first; what waits for a second person; beside it the chosen one."""
    for row in rows:
        if row.waits_id is not None:
            _answer(row, row.waits_id)
    header.section("Closed periods", "Newest first. A summary is signed with the desk's key.")
    LISTING.show(rows, cursor, queries.row, _detail)


def _detail(row: PeriodRow) -> None:
    public = audit.period_summary.signer_of(row.summary)
    header.section(row.words, "As it was signed")
    cards.facts(
        {
            "Journals in it": row.journals,
            "Books then ended with": f"J-{row.summary['journals']['last']}",
            "Signed with key": public.fingerprint if public else "The signature does not fit",
            "SHA-256": audit.period_summary.digest(row.summary),
        },
        columns=2,
    )
    for journal in row.closing_entries:
        navigation.link("journal", f"Closing entry J-{journal}", icon=":material/menu_book:", id=journal)
    _files(row)
    if row.explanation:
        cards.note(f"Explained: {row.explanation}")
    if row.reopened_because:
        cards.note(f"Reopened, approved by {row.reopened_by}: {row.reopened_because}")
    free = row.status == rules.PeriodStatus.CLOSED and row.waits_id is None
    if free and request_context.may(Permission.REOPEN_PERIOD):
        _ask(row)


def _files(row: PeriodRow) -> None:
    name = rules.Span(rules.PeriodKind(row.kind), row.first_day, row.last_day).in_file_names
    given = {"period": row.id}
    with st.container(horizontal=True, gap="small"):
        for ending, media_type, content in (
            ("pdf", "application/pdf", report_files.pdf(queries.sheets(row), foot=queries.foot(row))),
            ("json", "application/json", json.dumps(row.summary, indent=1, ensure_ascii=False).encode()),
        ):
            download.document(
                f"Summary, {ending.upper()}",
                table_files.Document(name, ending, given, Permission.EXPORT_LEDGER),
                lambda session, content=content: content,  # type: ignore[misc]
                key=f"period-{row.id}-{ending}",
                media_type=media_type,
            )


def _ask(row: PeriodRow) -> None:
    with st.expander("Reopen it", key=f"reopen-{row.id}"):
        cards.note(
            "Two people. What was closed after it is reopened with it; what was signed stays as it is."
            + (" The closing entry is reversed." if row.kind == PeriodKind.YEAR else "")
        )
        place = text_fields.named("period", row.id, "reopen")
        reason = reasons.line(place, "Why it has to be reopened", key=f"reopen-reason-{row.id}")
        if intent := confirm.pressed("Request reopening", key=f"reopen-ask-{row.id}", type="secondary"):
            confirm.carry_out(
                intent,
                lambda session, actor, now: reopening.propose(
                    session, actor, now=now, period_id=row.id, reason=reason
                ),
                done="Submitted. It is reopened when someone else approves it.",
                sent=[place],
            )


def _answer(row: PeriodRow, number: int) -> None:
    with cards.panel(f"reopening-{number}"):
        st.markdown(f"**{plain(row.waits_by_name or '')} asks for {plain(row.words)} to be reopened**")
        st.text(row.waits_reason or "")
        own = row.waits_by == request_context.actor().id
        yes = None
        if second_person.may_confirm(
            Permission.CONFIRM_REOPENING, lambda session: reopening.waiting_of(session, number)
        ):
            yes = Answer(
                "Approve and reopen",
                lambda session, actor, now, reason: reopening.approve(
                    session, actor, now=now, reopening_id=number, reason=reason
                ),
                done=f"{row.words} is open again, with what was closed after it.",
                icon=":material/lock_open:",
            )
        if own or request_context.may(Permission.CONFIRM_REOPENING):
            second_person.answers(
                text_fields.named("period", row.id, "answer"),
                f"reopening-{number}",
                own=own,
                yes=yes,
                no=Answer(
                    "Reject",
                    lambda session, actor, now, reason: reopening.reject(
                        session, actor, now=now, reopening_id=number, reason=reason
                    ),
                    done="It stays closed.",
                ),
            )
