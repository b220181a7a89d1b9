"""The legal checklist of each marketplace: payments are switched on when compliance has signed every item."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.milestones import legal_checklist
from core.policy import Platform
from core.queries import policy_proposals
from core.queries.policy_proposals import Signature
from core.rules.legal_checklist import Item
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, text_fields
from dashboard.ui.safe import html
from dashboard.ui.status import in_words


def panel() -> None:
    with request_context.reading() as session:
        every = policy_proposals.checklist(session)
    header.section(
        "Legal checklist",
        "Payments are switched on for a marketplace when all of it is signed.",
    )
    for column, platform in zip(st.columns(len(Platform), gap="medium"), Platform, strict=True):
        with column, cards.panel():
            _platform(platform, [each for each in every if each.platform is platform])
    if facts := confirm.drawer("sign-item"):
        _sign(**facts)


def _platform(platform: Platform, items: Sequence[Signature]) -> None:
    ready = all(each.signed_at for each in items)
    tone, said = ("good", "Payments are on") if ready else ("bad", "Payments are off")
    st.html(f'<b>{html(in_words(platform.value))}</b> <span class="ed-pill ed-{tone}">{said}</span>')
    for each in items:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f"{html(each.item.label)}<br><small>{html(_signed(each))}</small>")
            if each.signed_at is None and request_context.may(Permission.SIGN_LEGAL_CHECK):
                st.button(
                    "Sign",
                    key=f"sign-{platform.value}-{each.item.value}",
                    on_click=confirm.open_drawer,
                    args=("sign-item",),
                    kwargs={"platform": platform.value, "item": each.item.value},
                    width="content",
                )


def _signed(each: Signature) -> str:
    if each.signed_at is None:
        return "Not signed"
    return f"{each.signed_by}, {deadlines.exact(each.signed_at)}: {each.note}"


@st.dialog("Sign an item", position="right", on_dismiss=confirm.close_drawer)
def _sign(platform: str, item: str) -> None:
    if not confirm.step_up("checklist-sign"):
        return
    st.text(f"{in_words(platform)}: {Item(item).label}.")
    place = text_fields.named("checklist", 0, f"{platform}-{item}".lower())
    note = reasons.area(place, "On what ground", key="sign-note")
    st.caption("Your name and the time stay with it. A signature cannot be withdrawn.")
    intent = confirm.pressed("Sign", key="sign-item", icon=":material/signature:", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: legal_checklist.sign(
                session, actor, now=now, platform=Platform(platform), item=Item(item), note=note
            ),
            done="Signed.",
            sent=[place],
        )
