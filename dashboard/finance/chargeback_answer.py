"""The answer to the bank on screen: what wins, the form filled from the case, and exactly what the bank will see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import IO

import streamlit as st

from core.actions.chargebacks import chargeback_evidence, chargeback_files
from core.gateways import evidence_files
from core.gateways.evidence_files import Exhibit
from core.queries.chargeback_case import ChargebackCase
from core.queries.chargebacks import Answer, AnswerFile, ChargebackRow
from core.rules.chargeback_checklists import checklist, fields_in_order, missing
from core.rules.chargebacks import (
    DOCUMENTS,
    FIELDS,
    FILE_KINDS,
    LONGEST_TEXT,
    MOST_PAGES,
    PAGES_OF_MASTERCARD,
)
from core.rules.permissions import Actor, Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, download, second_person, text_fields
from dashboard.ui.safe import html, plain, words_of

PAGES_SHOWN = 12


def panel(row: ChargebackRow, answers: Sequence[Answer], case: ChargebackCase, *, open_: bool) -> None:
    """Checklist, drafts and form; only what was sent once nothing can be answered any more."""
    if open_:
        _checklist(row, answers[0] if answers else None, case)
    for number, answer in enumerate(answers):
        _show(row, answer, newest=number == 0, open_=open_)
    if not open_:
        if not answers:
            cards.note("No answer was sent.")
        return
    if not request_context.may(Permission.ANSWER_CHARGEBACK):
        cards.note("Finance and compliance answer the bank.")
        return
    _form(row, answers[0] if answers else None, case)
    _upload(row)


def _checklist(row: ChargebackRow, draft: Answer | None, case: ChargebackCase) -> None:
    """What wins such a chargeback, and what of it is there: in the newest draft, or in the case."""
    wanted = checklist(row.reason)
    ready = {*case.texts, *(each.field for each in case.sources if each.field)}
    with cards.panel("checklist"):
        st.markdown(f"**What wins “{plain(wanted.title)}”**")
        st.text(f"{wanted.claim} {wanted.wins}")
        lines = []
        for need in wanted.needs:
            have = draft is not None and draft.filled & set(need.fields)
            tone, said = (
                ("good", "In the draft") if have else ("bad" if need.decisive else "quiet", "Missing")
            )
            if not have and ready & set(need.fields):
                tone, said = "info", "Ready from the case"
            decisive = " <b>(decisive)</b>" if need.decisive else ""
            lines.append(
                f'<li><span class="ed-pill ed-{tone}">{said}</span> <span>{html(need.what)}{decisive}</span></li>'
            )
        st.html(f'<ul class="ed-notes" style="list-style:none;padding-left:0">{"".join(lines)}</ul>')
    for each in case.refunds:
        st.info(
            f"**Already refunded.** {plain(each.sentence)} The first draft says so; its credit note can be attached.",
            icon=":material/undo:",
        )


def _show(row: ChargebackRow, answer: Answer, *, newest: bool, open_: bool) -> None:
    """Every text and file, under the bank's own names: nothing else goes to the bank."""
    with cards.panel(f"answer-{answer.id}"):
        sent = f"sent by {answer.submitted_by} on {deadlines.exact(answer.submitted_at)}"
        cards.note(
            f"Drafted by {answer.drafted_by} on {deadlines.exact(answer.drafted_at)}; "
            + (sent if answer.submitted_by else "not sent" if newest else "replaced")
        )
        waits = newest and answer.submitted_by is None and open_
        if waits:
            st.markdown("**This is what the bank will see, and nothing else**")
        for field, words in answer.texts.items():
            st.markdown(f"**{FIELDS.get(field, field)}**")
            st.text(words_of(words))
        for field, each in answer.files.items():
            _file(row, answer, field, each)
        if waits:
            _submit(row, answer)


def _file(row: ChargebackRow, answer: Answer, field: str, file: AnswerFile) -> None:
    st.markdown(f"**{DOCUMENTS.get(field, field)}**")
    st.text(words_of(f"{file.name} ({_size(file.size)})"))
    for number, (title, first, count) in enumerate(file.exhibits, start=1):
        pages = f"page {first}" if count == 1 else f"pages {first}–{first + count - 1}"
        st.text(words_of(f"Exhibit {number}: {title}, {pages}"))
    key = f"{answer.id}-{field}"
    desk = request_context.desk()

    def read(actor: Actor, now: datetime) -> Exhibit:
        return desk.database.run(
            lambda session: chargeback_files.opened(
                session, actor, now=now, store=desk.evidence, chargeback_id=row.id, code=file.code
            )
        )

    def write(actor: Actor, now: datetime, out: IO[bytes]) -> None:
        out.write(read(actor, now).content)

    with st.container(horizontal=True, vertical_alignment="center"):
        download.file(
            "Download",
            key=f"bank-file-{key}",
            permission=Permission.READ_CHARGEBACKS,
            name=f"{row.reference}-{field}.{FILE_KINDS.get(file.media_type, 'bin')}",
            media_type=file.media_type,
            write=write,
            help="The very bytes that the bank gets. The audit log records who took it.",
            look="quiet",
        )
        wanted = st.toggle("Show the pages", key=f"pages-{key}")
    if wanted:
        _pages(read(request_context.actor(), request_context.now()))


def _pages(file: Exhibit) -> None:
    if file.media_type != chargeback_files.PDF:
        st.image(file.content, width=420)
        return
    whole = evidence_files.pages(file.content)
    with st.container(horizontal=True):
        for number in range(1, min(whole, PAGES_SHOWN) + 1):
            st.image(
                evidence_files.page(file.content, number), caption=f"Page {number} of {whole}", width=300
            )
    if whole > PAGES_SHOWN:
        cards.note(f"The first {PAGES_SHOWN} of {whole} pages; the download has all.")


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{max(size // 1_000, 1)} kB"


def _submit(row: ChargebackRow, answer: Answer) -> None:
    lacks = missing(row.reason, answer.filled)
    if lacks:
        st.warning(
            "Without this such a chargeback is rarely won: "
            + "; ".join(each.what.lower() for each in lacks)
            + ".",
            icon=":material/checklist:",
        )
    if not request_context.may(Permission.SETTLE_CHARGEBACK):
        return
    if not second_person.may_confirm(
        Permission.SETTLE_CHARGEBACK, lambda session: chargeback_evidence.waiting_of(session, answer.id)
    ):
        return
    typed = confirm.typed(row.reference, "send it", key=f"type-{answer.id}")
    intent = confirm.pressed(
        "Send to the bank", key=f"submit-{answer.id}", money=True, icon=":material/outgoing_mail:"
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: chargeback_evidence.submit(
                session, actor, now=now, evidence_id=answer.id, typed=typed
            ),
            done="The answer is on its way to the bank.",
        )


def _form(row: ChargebackRow, before: Answer | None, case: ChargebackCase) -> None:
    known = before.texts if before else case.texts
    with st.expander("Write a new draft" if before else "Write the answer", expanded=before is None):
        if not before:
            cards.note("Filled from the case as far as it is on record. Read it before it is kept.")
        fields = fields_in_order(row.reason, list(FIELDS))
        places = {field: text_fields.named("chargeback", row.id, field) for field in fields}
        texts = {
            field: text_fields.area(
                places[field],
                FIELDS[field],
                default=known.get(field, ""),
                key=f"evidence-{field}",
                most=LONGEST_TEXT,
            )
            for field in fields
        }
        exhibits = _attached(row, before, case)
        intent = confirm.pressed("Keep as draft", key="evidence-stage", icon=":material/draft:")
        if intent:
            desk = request_context.desk()
            confirm.carry_out(
                intent,
                lambda session, actor, now: chargeback_files.draft(
                    session,
                    actor,
                    now=now,
                    store=desk.evidence,
                    settings=desk.settings,
                    chargeback_id=row.id,
                    texts=texts,
                    exhibits=exhibits,
                ),
                done="The draft is kept. Someone else can send it to the bank.",
                sent=places.values(),
            )


def _attached(row: ChargebackRow, before: Answer | None, case: ChargebackCase) -> dict[str, list[str]]:
    """By document, what is attached in which order. A first draft begins with what the case offers for each."""
    names = {each.code: each.label for each in case.sources}
    cards.note(
        "Files, in the order in which they are chosen; several for one document become one PDF with numbered exhibits. "
        f"The bank takes 4.5 MB and {MOST_PAGES} pages in all; Mastercard charges for more than {PAGES_OF_MASTERCARD}."
    )
    chosen: dict[str, list[str]] = {}
    for field in fields_in_order(row.reason, list(DOCUMENTS)):
        offered = [each.code for each in case.sources if each.field == field] if before is None else []
        chosen[field] = st.multiselect(
            DOCUMENTS[field],
            list(names),
            default=offered,
            format_func=names.__getitem__,
            key=f"evidence-files-{field}",
            placeholder="Nothing attached",
        )
    return chosen


def _upload(row: ChargebackRow) -> None:
    """A file that nobody submitted as evidence; it is checked as if a stranger had sent it."""
    with st.expander("Upload a file for the bank"):
        file = st.file_uploader(
            "PDF, PNG or JPEG, at most 5 MB", type=["pdf", "png", "jpg", "jpeg"], key="bank-upload"
        )
        title = st.text_input(
            "What it shows", key="bank-upload-title", max_chars=chargeback_files.TITLE_LENGTH
        )
        intent = confirm.pressed(
            "Add the file", key="bank-upload-add", type="secondary", disabled=file is None
        )
        if intent and file is not None:
            content, desk = file.getvalue(), request_context.desk()
            confirm.carry_out(
                intent,
                lambda session, actor, now: chargeback_files.upload(
                    session,
                    actor,
                    now=now,
                    store=desk.evidence,
                    chargeback_id=row.id,
                    file_name=file.name,
                    content=content,
                    title=title,
                ),
                done="The file is kept. It can be attached to a draft now.",
            )
