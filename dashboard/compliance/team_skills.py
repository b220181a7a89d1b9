"""Skills of a colleague on screen: which kinds of projects they know."""

from __future__ import annotations

import streamlit as st

from core.actions.staff import skills
from core.queries.people import Person
from core.rules.permissions import Permission
from core.rules.templates import ProjectType
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons, text_fields
from dashboard.ui.status import in_words


def way(person: Person) -> None:
    """The button of an administrator, beside a colleague; nobody changes their own."""
    if not request_context.may(Permission.MANAGE_STAFF) or not person.active:
        return
    if person.id == request_context.actor().id:
        return
    st.button(
        "Change skills",
        key="open-skills",
        icon=":material/school:",
        on_click=confirm.open_drawer,
        args=("skills",),
        kwargs={"person": person},
    )
    if facts := confirm.drawer("skills"):
        _change(**facts)


@st.dialog("Change skills", position="right", on_dismiss=confirm.close_drawer)
def _change(person: Person) -> None:
    cards.note(
        f"Cases of these kinds of projects are given to {person.name} first. Cases that they have stay with them."
    )
    chosen = st.multiselect(
        "Skills",
        list(ProjectType),
        default=[ProjectType(each) for each in person.skills],
        format_func=lambda each: in_words(each.value),
        key=f"skills-{person.id}",
    )
    place = text_fields.named("staff", person.id, "skills")
    reason = reasons.area(place, "Why", key="skills-reason")
    same = set(chosen) == set(person.skills)
    intent = confirm.pressed("Change skills", key="skills", money=True, disabled=same)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: skills.change(
                session, actor, now=now, staff_id=person.id, skills=chosen, reason=reason
            ),
            done=f"The skills of {person.name} are changed.",
            sent=[place],
        )
