"""Roles given in an emergency on screen: the alarm, the review by another administrator, and giving one."""

from __future__ import annotations

import streamlit as st

from core.actions.staff import emergency
from core.policy.limits import EMERGENCY_REVIEWED_WITHIN
from core.policy.wording import exact_span
from core.queries import emergency as roles
from core.queries.emergency import EmergencyRole
from core.queries.people import Person
from core.rules.permissions import Permission, Role
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, second_person, text_fields
from dashboard.ui.safe import plain, words_of
from dashboard.ui.second_person import Answer
from dashboard.ui.status import in_words

OFFERED = tuple(each for each in Role if each is not Role.ADMINISTRATOR)


def alarm() -> None:
    """Said where people look, until it is reviewed or has ended."""
    with request_context.reading() as session:
        found = roles.waiting(session)
    for each in found:
        st.warning(
            f"**Role given in an emergency:** {plain(each.by)} alone made {plain(each.name)} {plain(each.role)} on "
            f"{deadlines.exact(each.given_at)}. Another administrator reviews it on the page People until "
            f"{deadlines.exact(each.review_by)}; otherwise the role ends.",
            icon=":material/e911_emergency:",
        )


def waiting() -> None:
    """What waits for its review, for administrators."""
    if not request_context.may(Permission.MANAGE_STAFF):
        return
    with request_context.reading() as session:
        found = roles.waiting(session)
    if found:
        header.section("Roles given in an emergency, to be reviewed")
    for each in found:
        _review(each)


def way(person: Person) -> None:
    """The button of an administrator, beside a colleague."""
    free = [each for each in OFFERED if each not in person.roles]
    own = person.id == request_context.actor().id
    if not request_context.may(Permission.MANAGE_STAFF) or not person.active or own or not free:
        return
    st.button(
        "Emergency role",
        key="open-emergency",
        icon=":material/e911_emergency:",
        on_click=confirm.open_drawer,
        args=("emergency",),
        kwargs={"person": person},
    )
    if facts := confirm.drawer("emergency"):
        _give(**facts)


def _review(each: EmergencyRole) -> None:
    with cards.panel(f"emergency-{each.id}"):
        st.markdown(f"**{plain(each.name)}: {plain(in_words(each.role))}**")
        cards.note(
            f"Given by {each.by}, {deadlines.exact(each.given_at)}. Ends {deadlines.exact(each.review_by)}, unless it "
            f"is kept. {words_of(each.reason)}"
        )
        navigation.link("people", "The person", icon=":material/person:", id=each.staff_id)
        if request_context.actor().id in (each.by_id, each.staff_id):
            cards.note("Another administrator reviews it.")
            return
        second_person.answers(
            text_fields.named("staff", each.staff_id, "emergency-review"),
            f"emergency-{each.id}",
            own=False,
            yes=Answer(
                "Keep the role",
                lambda session, actor, now, reason: emergency.review(
                    session, actor, now=now, grant_id=each.id, stands=True, reason=reason
                ),
                done=f"{each.name} keeps the role.",
                icon=":material/how_to_reg:",
            ),
            no=Answer(
                "Take the role",
                lambda session, actor, now, reason: emergency.review(
                    session, actor, now=now, grant_id=each.id, stands=False, reason=reason
                ),
                done=f"{each.name} does not have the role any more.",
            ),
        )


@st.dialog("Role in an emergency", position="right", on_dismiss=confirm.close_drawer)
def _give(person: Person) -> None:
    cards.note(
        f"{person.name} has it at once, given by you alone. Every administrator and compliance are told, and the alarm "
        f"stands on Overview. Without another administrator's review the role ends after "
        f"{exact_span(EMERGENCY_REVIEWED_WITHIN)}."
    )
    free = [each for each in OFFERED if each not in person.roles]
    role = st.selectbox(
        "Role", free, index=None, format_func=lambda each: in_words(each.value), key=f"emergency-{person.id}"
    )
    place = text_fields.named("staff", person.id, "emergency")
    reason = reasons.area(place, "What cannot wait", key="emergency-reason")
    intent = confirm.pressed("Give the role now", key="emergency", money=True, disabled=role is None)
    if intent and role is not None:
        confirm.carry_out(
            intent,
            lambda session, actor, now: emergency.give(
                session, actor, now=now, staff_id=person.id, role=role, reason=reason
            ),
            done=f"{person.name} has the role now. Everybody who watches is told.",
            sent=[place],
        )
