"""The legal checklist of each marketplace: payments are switched on where compliance has signed every item, with its
document, and as long as the signatures count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import IO

import streamlit as st

from core.actions.milestones import legal_checklist
from core.policy import Platform
from core.queries import policy_proposals
from core.queries.policy_proposals import COUNTS, Signature
from core.rules.legal_checklist import EVERYWHERE, LARGEST, Item
from core.rules.permissions import Actor, Permission
from core.rules.refusal_reasons import Block
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, download, header, reasons, tables, text_fields
from dashboard.ui.safe import html, plain
from dashboard.ui.status import in_words

TONES = {COUNTS: "good", "Lapsed": "bad", "Withdrawn": "bad"}


def panel() -> None:
    today = request_context.now().date()
    with request_context.reading() as session:
        every = policy_proposals.checklist(session, today=today)
    header.section(
        "Legal checklist",
        "Payments are on where all of it is signed. A country with signatures of its own goes by those.",
    )
    for column, platform in zip(st.columns(len(Platform), gap="medium"), Platform, strict=True):
        with column, cards.panel():
            signed = [each for each in every if each.platform is platform]
            _platform(platform, signed, policy_proposals.switched_off(signed, today=today))
    _history(every, today)
    if facts := confirm.drawer("sign-item"):
        _sign(**facts)
    if facts := confirm.drawer("withdraw-item"):
        _withdraw(**facts)


def where(jurisdiction: str) -> str:
    return "Every jurisdiction" if jurisdiction == EVERYWHERE else jurisdiction


def _platform(platform: Platform, signed: Sequence[Signature], off: Mapping[str, tuple[Block, ...]]) -> None:
    st.html(f"<b>{html(in_words(platform.value))}</b>")
    others = "Every other jurisdiction" if len(off) > 1 else where(EVERYWHERE)
    for place, blocks in off.items():
        tone, said = ("bad", "Payments are off") if blocks else ("good", "Payments are on")
        st.html(
            f'{html(others if place == EVERYWHERE else place)} <span class="ed-pill ed-{tone}">{said}</span>'
        )
    for item in Item:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(html(item.label))
            if request_context.may(Permission.SIGN_LEGAL_CHECK):
                _opens(
                    "Sign",
                    f"sign-{platform.value}-{item.value}",
                    "sign-item",
                    platform=platform.value,
                    item=item.value,
                )
        for each in (one for one in signed if one.item is item and one.newest):
            _one(each)
        if not any(one.item is item for one in signed):
            cards.note("Not signed")


def _one(each: Signature) -> None:
    """The signature that its jurisdiction goes by."""
    until = f"until {_day(each.valid_until)}" if each.valid_until else "without an end"
    review = f", review on {_day(each.review_on)}" if each.review_on else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<small>{html(where(each.jurisdiction))} <span class="ed-pill ed-{TONES[each.standing]}">'
            f"{html(each.standing)}</span> {html(until + review)}<br>"
            f"{html(each.signed_by)}, {html(deadlines.exact(each.signed_at))}: {html(each.note)}</small>"
        )
        _document(each)
        if each.withdrawn_at is None and request_context.may(Permission.SIGN_LEGAL_CHECK):
            _opens("Withdraw", f"withdraw-{each.id}", "withdraw-item", signature_id=each.id)
    if each.withdrawn_at:
        cards.note(
            f"Withdrawn by {each.withdrawn_by}, {deadlines.exact(each.withdrawn_at)}: {each.withdrawal_reason}"
        )


def _document(each: Signature) -> None:
    if each.document_name is None or not request_context.may(Permission.READ_AUDIT):
        return
    desk = request_context.desk()

    def write(actor: Actor, now: datetime, out: IO[bytes]) -> None:
        out.write(
            desk.database.run(
                lambda session: legal_checklist.document(session, actor, now=now, signature_id=each.id)
            )[1]
        )

    download.file(
        each.document_name,
        key=f"checklist-document-{each.id}",
        permission=Permission.READ_AUDIT,
        name=each.document_name,
        media_type="application/pdf",
        write=write,
        look="quiet",
        help=f"SHA-256 {each.document_sha256}",
    )


def _opens(label: str, key: str, drawer: str, **facts: object) -> None:
    st.button(label, key=key, on_click=confirm.open_drawer, args=(drawer,), kwargs=facts, width="content")


def _day(day: date) -> str:
    return f"{day:%-d %b %Y}"


def _history(every: Sequence[Signature], today: date) -> None:
    tables.table(
        every,
        [
            tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform.value), width=130),
            tables.text("item", "Item", value=lambda row: row.item.label, width=220),
            tables.text("jurisdiction", "Jurisdiction", value=lambda row: where(row.jurisdiction), width=130),
            tables.text("standing", "State", width=90),
            tables.text("signed_by", "Signed by", width=130),
            tables.when("signed_at", "Signed", width=150),
            tables.text(
                "until",
                "Until",
                value=lambda row: _day(row.valid_until) if row.valid_until else "",
                width=100,
            ),
            tables.text(
                "review", "Review", value=lambda row: _day(row.review_on) if row.review_on else "", width=100
            ),
            tables.text("document", "Document", value=lambda row: row.document_name or "", width=170),
            tables.text("note", "On what ground", width=240),
            tables.text("withdrawn", "Withdrawn", value=_withdrawn, width=240),
        ],
        key="checklist",
        download=tables.Table(
            "legal-checklist",
            lambda session: policy_proposals.checklist(session, today=today),
            permission=Permission.EXPORT_AUDIT,
        ),
        name="Signatures of the legal checklist",
        empty_state=("Nothing is signed", "Compliance signs each item with its document."),
    )


def _withdrawn(row: Signature) -> str:
    if row.withdrawn_at is None:
        return ""
    return f"{row.withdrawn_by}, {deadlines.exact(row.withdrawn_at)}: {row.withdrawal_reason}"


@st.dialog("Sign an item", position="right", on_dismiss=confirm.close_drawer)
def _sign(platform: str, item: str) -> None:
    if not confirm.step_up("checklist-sign"):
        return
    st.text(f"{in_words(platform)}: {Item(item).label}.")
    jurisdiction = st.text_input(
        "Jurisdiction",
        key="sign-jurisdiction",
        placeholder="Every jurisdiction, or a country such as DE",
        max_chars=3,
    )
    file = st.file_uploader(
        "Document, a PDF", key="sign-document", type="pdf", max_upload_size=LARGEST // 1_000_000
    )
    until = st.date_input("Last day on which it counts", value=None, key="sign-until", format="YYYY-MM-DD")
    review = st.date_input("Day of its review", value=None, key="sign-review", format="YYYY-MM-DD",
                           help="Compliance is reminded on this day.")  # fmt: skip
    place = text_fields.named("checklist", 0, f"{platform}-{item}".lower())
    note = reasons.area(place, "On what ground", key="sign-note")
    st.caption(
        "Your name and the time stay with it. It takes the place of the one before in this jurisdiction; it can be "
        "withdrawn, and payments stop where nothing counts."
    )
    intent = confirm.pressed(
        "Sign", key="sign-item", icon=":material/signature:", money=True, disabled=file is None
    )
    if intent and file is not None:
        content, name = file.getvalue(), file.name
        confirm.carry_out(
            intent,
            lambda session, actor, now: legal_checklist.sign(
                session, actor, now=now, platform=Platform(platform), item=Item(item), note=note, document=content,
                document_name=name, jurisdiction=jurisdiction, valid_until=until, review_on=review,
            ),
            done="Signed.",
            sent=[place],
        )  # fmt: skip


@st.dialog("Withdraw a signature", position="right", on_dismiss=confirm.close_drawer)
def _withdraw(signature_id: int) -> None:
    if not confirm.step_up("checklist-withdraw"):
        return
    with request_context.reading() as session:
        every = policy_proposals.checklist(session, today=request_context.now().date())
    each = next((one for one in every if one.id == signature_id), None)
    if each is None or each.withdrawn_at is not None:
        confirm.changed_meanwhile("This signature was withdrawn meanwhile.")
        return
    st.text(f"{in_words(each.platform.value)}, {where(each.jurisdiction)}: {each.item.label}.")
    st.caption(plain("Payments stop there at once, until the item is signed again."))
    place = text_fields.named("checklist", signature_id, "withdraw")
    reason = reasons.area(place, "Why", key="withdraw-reason")
    intent = confirm.pressed("Withdraw", key="withdraw-item", icon=":material/block:", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: legal_checklist.withdraw(
                session, actor, now=now, signature_id=signature_id, reason=reason
            ),
            done="Withdrawn.",
            sent=[place],
        )
