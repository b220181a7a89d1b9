"""Roles on screen: what waits for a second administrator, giving, and taking."""

from __future__ import annotations

import streamlit as st

from core.actions.staff import members, role_grants
from core.queries import team
from core.queries.people import Person
from core.queries.team import Proposed
from core.rules.permissions import Permission, Role
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, second_person, text_fields
from dashboard.ui.safe import plain, words_of
from dashboard.ui.second_person import Answer
from dashboard.ui.status import in_words

ALONE = (
    "You are the only administrator, so nobody can approve roles. Whoever runs the machine of this desk brings in the "
    "second one: `escrow-desk staff role NUMBER --give administrator --reason …`. That stands in the audit log as what "
    "it is, and every administrator and compliance are told at once."
)


def waiting() -> None:
    """What waits for a second person, on top of the page; nothing where nothing does."""
    with request_context.reading() as session:
        found, administrators = team.proposed(session), team.administrators(session)
    if administrators < 2 and request_context.may(Permission.MANAGE_STAFF):
        st.info(ALONE, icon=":material/person_alert:")
    if found:
        header.section("Roles that wait for a second administrator")
    for each in found:
        _proposed(each)


def _proposed(each: Proposed) -> None:
    with cards.panel(f"grant-{each.id}"):
        st.markdown(f"**{plain(each.name)}: {plain(_named(each.roles))}**")
        cards.note(f"Proposed by {each.by}, {deadlines.exact(each.at)}. {words_of(each.reason)}")
        navigation.link("people", "The person", icon=":material/person:", id=each.staff_id)
        if not request_context.may(Permission.MANAGE_STAFF):
            return
        if each.staff_id == request_context.actor().id:
            cards.note("These roles are for you, so two other administrators decide about them.")
            return
        yes = None
        if second_person.may_confirm(
            Permission.MANAGE_STAFF, lambda session: role_grants.waiting_of(session, each.id)
        ):
            yes = Answer(
                "Approve roles",
                lambda session, actor, now, reason: role_grants.approve(
                    session, actor, now=now, grant_id=each.id, reason=reason
                ),
                done=f"{each.name} has these roles now, also where they are signed in.",
                icon=":material/how_to_reg:",
            )
        second_person.answers(
            text_fields.named("staff", each.staff_id, "grant"),
            f"grant-{each.id}",
            own=each.by_id == request_context.actor().id,
            yes=yes,
            no=Answer(
                "Reject roles",
                lambda session, actor, now, reason: role_grants.reject(
                    session, actor, now=now, grant_id=each.id, reason=reason
                ),
                done="No role was given.",
            ),
        )


def ways(person: Person) -> None:
    """Buttons of an administrator, beside a colleague; nobody changes their own roles."""
    if not request_context.may(Permission.MANAGE_STAFF) or not person.active:
        return
    if person.id == request_context.actor().id:
        cards.note("Nobody changes their own roles: ask another administrator.")
        return
    for label, name, icon, offered in (
        ("Give roles", "give-roles", ":material/add_moderator:", len(person.roles) < len(Role)),
        ("Take roles", "take-roles", ":material/remove_moderator:", bool(person.roles)),
    ):
        if offered:
            st.button(
                label,
                key=f"open-{name}",
                icon=icon,
                on_click=confirm.open_drawer,
                args=(name,),
                kwargs={"person": person},
            )
    if facts := confirm.drawer("give-roles"):
        _give(**facts)
    elif facts := confirm.drawer("take-roles"):
        _take(**facts)


@st.dialog("Give roles", position="right", on_dismiss=confirm.close_drawer)
def _give(person: Person) -> None:
    with request_context.reading() as session:
        alone = team.administrators(session) < 2
    if alone:
        st.caption(ALONE)
    else:
        cards.note(f"{person.name} gets them when another administrator approves.")
    free = [each for each in Role if each not in person.roles]
    chosen = st.multiselect(
        "Roles", free, format_func=lambda each: in_words(each.value), key=f"give-roles-{person.id}"
    )
    place = text_fields.named("staff", person.id, "give")
    reason = reasons.area(place, "Why", key="give-reason")
    intent = confirm.pressed("Submit for approval", key="give-roles", money=True, disabled=not chosen)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: role_grants.propose(
                session, actor, now=now, staff_id=person.id, roles=chosen, reason=reason
            ),
            done=(
                "Submitted. Nobody can approve the roles until another administrator works here."
                if alone
                else "Submitted. The roles are given when another administrator approves."
            ),
            sent=[place],
        )


@st.dialog("Take roles", position="right", on_dismiss=confirm.close_drawer)
def _take(person: Person) -> None:
    cards.note(f"At once, also where {person.name} is signed in. Giving them again takes two administrators.")
    chosen = st.multiselect(
        "Roles",
        list(person.roles),
        format_func=lambda each: in_words(each.value),
        key=f"take-roles-{person.id}",
    )
    place = text_fields.named("staff", person.id, "take")
    reason = reasons.area(place, "Why", key="take-reason")
    intent = confirm.pressed("Take roles", key="take-roles", money=True, disabled=not chosen)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: members.take_roles(
                session, actor, now=now, staff_id=person.id, roles=chosen, reason=reason
            ),
            done=f"{person.name} does not have these roles any more.",
            sent=[place],
        )


def alone_alarm() -> None:
    """Roles that one person gave alone in the last week, said where people look."""
    with request_context.reading() as session:
        found = team.given_alone(session, now=request_context.now())
    for each in found:
        st.warning(
            f"**Roles given by one person alone:** {plain(each.by)} made {plain(each.name)} "
            f"{plain(' and '.join(each.roles))} on {deadlines.exact(each.at)}, on the command line, while fewer than "
            "two administrators worked here.",
            icon=":material/person_alert:",
        )


def _named(roles: tuple[Role, ...]) -> str:
    return ", ".join(in_words(each.value) for each in roles)
