"""One chargeback on screen: what it is, what was booked for it, and the answer that two people give the bank."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.actions.chargebacks import chargeback_evidence
from core.policy.limits import CHARGEBACK_ALARM
from core.queries import chargebacks
from core.queries.chargebacks import (
    Acceptance,
    Answer,
    BankExhibit,
    ChargebackPosting,
    ChargebackRow,
    Liability,
)
from core.rules.chargebacks import ANSWERABLE, DOCUMENTS, FIELDS, LONGEST_TEXT
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from dashboard import navigation, request_context
from dashboard.finance import chargeback_acceptance
from dashboard.ui import cards, confirm, deadlines, header, second_person, tables, text_fields
from dashboard.ui.safe import words_of

ENTRIES = [
    tables.opens("reference", "Journal", page="journal", width=90),
    tables.text("memo", "What", width=240),
    tables.money("amount", "Amount", width=130),
    tables.money("fee", "Fee", width=100),
    tables.mono("line", "Balance transaction", width=240),
    tables.when("at", "Booked", width=150),
]


def whole(
    row: ChargebackRow,
    borne: Liability | None,
    booked: Sequence[ChargebackPosting],
    answers: Sequence[Answer],
    pieces: Sequence[BankExhibit],
    given_up: Sequence[Acceptance],
) -> None:
    """Facts, the answer or the acceptance, and the books."""
    cards.facts(
        {
            "Disputed amount": row.amount,
            "Taken by the bank": row.taken,
            "Lost to the bank": row.lost,
            "Chargeback fees, absorbed by the platform": row.fees,
            "Reason": row.why,
            "Evidence due": deadlines.exact(row.answer_by),
            "Opened": row.opened_at,
            "Closed": row.closed_at,
            "Payer": row.payer,
            "Payee": row.payee,
            "Milestone": row.milestone,
            "At Stripe": row.dispute,
        }
    )
    with st.container(horizontal=True, gap="medium"):
        navigation.link("project", "Project", icon=":material/home_work:", id=row.project_id)
    if borne is not None:
        _who_bore_it(row, borne)
    header.section(
        "Answer to the bank", "One person drafts it, another sends it. Banks usually take one answer."
    )
    accepted = any(each.status == ProposalStatus.ACCEPTED for each in given_up)
    _answer(row, answers, pieces, open_=row.status in ANSWERABLE and not accepted)
    chargeback_acceptance.panel(row, given_up)
    header.section("Booked")
    tables.table(
        booked,
        ENTRIES,
        key="chargeback-entries",
        download=tables.Table(
            "chargeback-lines",
            lambda session: chargebacks.entries(session, row),
            filter={"chargeback": row.reference},
        ),
        name="Lines and journals",
        empty_state=("Nothing was booked", "An inquiry moves no money."),
    )
    for each in booked:
        if each.rate:
            cards.note(f"{each.reference} was converted by Stripe at {each.rate}.")


BEARERS = (
    ("held", "Held for the payee"),
    ("unearned_fee", "Platform fee, not yet earned"),
    ("refund_due", "Refund that was due to the payer anyway"),
    ("second_payment", "Second payment, due to the payer anyway"),
    ("receivable", "Charged to the payee"),
    ("earned_fee", "Platform fee, earned and given up"),
    ("loss", "Loss of the platform"),
)


def _who_bore_it(row: ChargebackRow, borne: Liability) -> None:
    """The parts of what the bank kept. What the payee was charged may have been settled since."""
    header.section("Who bore it", f"The bank kept {row.lost.text()}. As booked when the chargeback was lost.")
    parts = {label: getattr(borne, name) for name, label in BEARERS}
    shown = {label: part for label, part in parts.items() if not part.is_zero}
    cards.facts({**shown, BEARERS[-1][1]: borne.loss})
    if borne.since_owed.is_positive:
        cards.note(
            f"Since then {borne.since_owed.text()} less was lost on this milestone's chargebacks: refunds came back, "
            "and what they would have paid the payer has from the bank."
        )


def countdown(row: ChargebackRow, now: datetime) -> None:
    """How long the bank still waits, while it does; loud on the last two days."""
    if row.answer_by is None:
        return
    left = f"**The bank waits for an answer {deadlines.words(row.answer_by, now)}**"
    words = f"{left}: until {deadlines.exact(row.answer_by)}. Without one the bank keeps the money."
    show = st.error if row.answer_by - now <= CHARGEBACK_ALARM else st.info
    show(words, icon=":material/alarm:")


def _answer(
    row: ChargebackRow, answers: Sequence[Answer], pieces: Sequence[BankExhibit], *, open_: bool
) -> None:
    for number, answer in enumerate(answers):
        _show(answer, newest=number == 0, open_=open_)
    if not open_:
        if not answers:
            cards.note("No answer was sent.")
        return
    if not request_context.may(Permission.ANSWER_CHARGEBACK):
        cards.note("Finance and compliance answer the bank.")
        return
    _form(row, answers[0] if answers else None, pieces)


def _show(answer: Answer, *, newest: bool, open_: bool) -> None:
    with cards.panel(f"answer-{answer.id}"):
        sent = f"sent by {answer.submitted_by} on {deadlines.exact(answer.submitted_at)}"
        cards.note(
            f"Drafted by {answer.drafted_by} on {deadlines.exact(answer.drafted_at)}; "
            + (sent if answer.submitted_by else "not sent" if newest else "replaced")
        )
        for field, words in answer.texts.items():
            st.markdown(f"**{FIELDS.get(field, field)}**")
            st.text(words_of(words))
        for field, name in answer.files.items():
            st.markdown(f"**{DOCUMENTS.get(field, field)}**")
            st.text(words_of(name))
        if newest and answer.submitted_by is None and open_:
            _submit(answer)


def _submit(answer: Answer) -> None:
    if not request_context.may(Permission.SETTLE_CHARGEBACK):
        return
    if not second_person.may_confirm(
        Permission.SETTLE_CHARGEBACK, lambda session: chargeback_evidence.standing(session, answer.id)
    ):
        return
    intent = confirm.pressed(
        "Send to the bank", key=f"submit-{answer.id}", money=True, icon=":material/outgoing_mail:"
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: chargeback_evidence.submit(
                session, actor, now=now, evidence_id=answer.id
            ),
            done="The answer is on its way to the bank.",
        )


def _form(row: ChargebackRow, before: Answer | None, pieces: Sequence[BankExhibit]) -> None:
    known = before.texts if before else {}
    with st.expander("Write a new draft" if before else "Write the answer", expanded=before is None):
        places = {field: text_fields.named("chargeback", row.id, field) for field in FIELDS}
        texts = {
            field: text_fields.area(
                places[field], label, default=known.get(field, ""), key=f"evidence-{field}", most=LONGEST_TEXT
            )
            for field, label in FIELDS.items()
        }
        files = _files(pieces)
        intent = confirm.pressed("Keep as draft", key="evidence-stage", icon=":material/draft:")
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, now: chargeback_evidence.stage(
                    session, actor, now=now, chargeback_id=row.id, texts=texts, files=files
                ),
                done="The draft is kept. Someone else can send it to the bank.",
                sent=places.values(),
            )


def _files(pieces: Sequence[BankExhibit]) -> dict[str, int]:
    """Which piece of evidence goes to the bank as which document."""
    if not pieces:
        cards.note("The parties have submitted no PDF, PNG or JPEG that could be sent.")
        return {}
    names = {each.id: each.label for each in pieces}
    chosen = st.multiselect("Files to send", list(names), format_func=names.__getitem__, key="evidence-files")
    free = list(DOCUMENTS)
    files: dict[str, int] = {}
    for number in chosen:
        field = st.selectbox(
            f"{names[number]} is",
            list(free),
            format_func=DOCUMENTS.__getitem__,
            key=f"evidence-file-{number}",
        )
        files[field] = number
        free.remove(field)
    return files
