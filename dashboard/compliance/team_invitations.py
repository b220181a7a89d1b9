"""Inviting a colleague on screen: the link is shown once, and whoever has not joined yet is listed."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from core.actions.staff import invitations
from core.actions.staff.invitations import Invited
from core.policy.limits import INVITATION_STANDS
from core.queries import team
from core.queries.team import Invitation
from core.rules.permissions import Permission, Role
from core.rules.templates import ProjectType
from dashboard import request_context
from dashboard.ui import cards, confirm, header, reasons, tables, text_fields
from dashboard.ui.status import in_words

LINK = "desk:invitation-link"


def button() -> None:
    if request_context.may(Permission.MANAGE_STAFF):
        st.button(
            "Invite a colleague",
            key="open-invite",
            icon=":material/person_add:",
            on_click=confirm.open_drawer,
            args=("invite",),
        )


def shown_once() -> None:
    """The link of an invitation that was made by the press before this drawing."""
    if link := st.session_state.pop(LINK, None):
        st.warning(
            "Pass this link on in a way that you trust: it is not shown again, and the desk does not send it.",
            icon=":material/key:",
        )
        st.code(link, language=None, wrap_lines=True)


def panel() -> None:
    """Who has not joined yet, for administrators."""
    if not request_context.may(Permission.MANAGE_STAFF):
        return
    if confirm.drawer("invite") is not None:
        _invite()
    elif facts := confirm.drawer("call-off"):
        _call_off(**facts)
    with request_context.reading() as session:
        found = team.invitations(session, now=request_context.now())
    if not found:
        return
    header.section("Invitations", "who has not joined yet")
    tables.small(
        found,
        [
            tables.text("name", "Name"),
            tables.text("email", "E-mail"),
            tables.text(
                "roles", "Roles", value=lambda row: ", ".join(in_words(each.value) for each in row.roles)
            ),
            tables.text("by", "Invited by"),
            tables.when("until", "Link good until"),
            tables.text("expired", "State", value=lambda row: "Expired" if row.expired else "Waits"),
        ],
        name="Invitations",
    )
    with st.container(horizontal=True, gap="small"):
        for each in found:
            st.button(
                f"Call off: {each.name}",
                key=f"call-off-{each.id}",
                icon=":material/block:",
                on_click=confirm.open_drawer,
                args=("call-off",),
                kwargs={"invitation": each},
            )


@st.dialog("Invite a colleague", position="right", on_dismiss=confirm.close_drawer)
def _invite() -> None:
    cards.note(
        f"They join with a link, within {INVITATION_STANDS.days} days and once, by signing in. Their roles are then "
        "proposed in your name, and another administrator approves."
    )
    name = st.text_input("Name", key="invite-name", max_chars=200)
    email = st.text_input("E-mail, as the sign-in provider knows it", key="invite-email", max_chars=254)
    title = st.text_input("Title", key="invite-title", max_chars=200)
    roles = st.multiselect(
        "Roles", list(Role), format_func=lambda each: in_words(each.value), key="invite-roles"
    )
    skills = st.multiselect(
        "Skills", list(ProjectType), format_func=lambda each: in_words(each.value), key="invite-skills"
    )
    place = text_fields.named("staff", 0, "invite")
    reason = reasons.area(place, "Why", key="invite-reason")
    intent = confirm.pressed("Make the link", key="invite", icon=":material/link:", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: invitations.invite(
                session,
                actor,
                now=now,
                email=email,
                name=name,
                roles=roles,
                reason=reason,
                title=title,
                skills=skills,
            ),
            done=f"{name} is invited.",
            then=_keep,
            sent=[place],
        )


def _keep(invited: Invited) -> None:
    at = urlsplit(st.context.url or "")
    st.session_state[LINK] = f"{at.scheme}://{at.netloc}/sign-in?invitation={invited.token}"
    st.rerun()


@st.dialog("Call off an invitation", position="right", on_dismiss=confirm.close_drawer)
def _call_off(invitation: Invitation) -> None:
    cards.note(f"The link for {invitation.name} is good for nothing any more.")
    place = text_fields.named("staff", 0, f"call-off-{invitation.id}")
    reason = reasons.area(place, "Why", key="call-off-reason")
    intent = confirm.pressed("Call off", key="call-off", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: invitations.call_off(
                session, actor, now=now, invitation_id=invitation.id, reason=reason
            ),
            done=f"The invitation of {invitation.name} is called off.",
            sent=[place],
        )
