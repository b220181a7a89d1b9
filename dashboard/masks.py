"""Masks on screen: who can be revealed on this page, the drawer that asks why, and the alarm of many."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.actions.privacy import reveals
from core.queries import masked
from core.rules.masking import AT_ONCE, MANY, REVEALED_FOR, hides
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, deadlines, reasons, text_fields
from dashboard.ui.safe import MASKS_MET, plain

DRAWER = "reveal"
MET = "desk:masks-met"
FEW = 3  # so many are chosen already
ABOUT = (
    "Names, addresses and what people wrote are masked where the work of a page does not need them. Whom you reveal is "
    f"shown to you in this session for {int(REVEALED_FOR.total_seconds() // 60)} minutes, on every page. The audit log "
    "records whom, and why."
)


def begin() -> None:
    """Before a page is drawn: whose masks stand on it is noted from here on."""
    st.session_state[MET] = {}
    MASKS_MET.set(st.session_state[MET])


def button() -> None:
    """After it, beside the search: where names stand masked on this page."""
    page = request_context.shown()
    if not request_context.may(Permission.REVEAL_PERSON) or not hides(request_context.actor().roles, page):
        return
    with st.container(key="desk-reveal", width="content"):
        if st.session_state.get(MET):
            st.button(
                "Reveal names",
                key="reveal-open",
                icon=":material/visibility:",
                type="tertiary",
                on_click=_open,
                args=(page,),
                help="Names on this page are masked",
            )
    if facts := confirm.drawer(DRAWER):
        if facts["page"] == page:
            _reveal(**facts)
        else:
            confirm.close_drawer()


def offer(people: Mapping[int, str]) -> None:
    """Whose names this page hides by another word than a mask."""
    met: dict[int, str] = st.session_state.setdefault(MET, {})
    met |= people


def _open(page: str) -> None:
    confirm.open_drawer(DRAWER, page=page, people=dict(st.session_state.get(MET, {})))


@st.dialog("Reveal names", position="right", on_dismiss=confirm.close_drawer)
def _reveal(page: str, people: dict[int, str]) -> None:
    cards.note(ABOUT)
    if not people:
        cards.note("No name is masked on this page now.")
        return
    chosen = st.multiselect(
        "Whom",
        list(people),
        default=list(people) if len(people) <= FEW else [],
        format_func=people.__getitem__,
        key="reveal-whom",
        max_selections=AT_ONCE,
    )
    place = text_fields.named("mask", request_context.actor().id or 0, "reveal")
    reason = reasons.area(place, "What you need to see them for", key="reveal-reason")
    if len(chosen) > MANY:
        cards.note(f"More than {MANY} within an hour raise an alarm.")
    intent = confirm.pressed("Reveal", key="reveal", icon=":material/visibility:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: reveals.reveal(
                session, actor, now=now, party_ids=chosen, reason=reason, page=page
            ),
            done=lambda until: f"Shown to you until {deadlines.exact(until)}.",
            sent=[place],
        )


def alarm() -> None:
    """Said on Overview for a week, to whoever reads the log."""
    if not request_context.may(Permission.READ_AUDIT):
        return
    with request_context.reading() as session:
        found = masked.many_revealed(session, now=request_context.now())
    for each in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error(
                f"**Many people revealed:** {plain(each.name)} revealed {each.people} people within an hour, "
                f"{deadlines.exact(each.at)}. The log has the reason of each.",
                icon=":material/group_off:",
            )
            navigation.link(
                "audit",
                "Audit log",
                icon=":material/arrow_forward:",
                who=f"staff:{each.staff_id}",
                action="staff:person:reveal",
            )
