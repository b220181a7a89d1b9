"""Ties on screen: what was found and waits for an answer, and a way to declare one."""

from __future__ import annotations

import streamlit as st

from core.actions.staff import ties
from core.queries import people
from core.queries.people import FoundTie, Person
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons, text_fields
from dashboard.ui.safe import plain


def found(person: Person) -> None:
    """What was found and waits for an answer."""
    own = person.id == request_context.actor().id
    with request_context.reading() as session:
        waiting = people.found(session, person.id)
    for each in waiting:
        _found(person, each, own=own, manages=request_context.may(Permission.MANAGE_STAFF))


def way(person: Person) -> None:
    """The button, for oneself and for administrators."""
    own = person.id == request_context.actor().id
    if (own or request_context.may(Permission.MANAGE_STAFF)) and person.active:
        st.button(
            "Declare a tie",
            key="open-tie",
            icon=":material/link:",
            on_click=confirm.open_drawer,
            args=("tie",),
            kwargs={"person": person},
        )
    if facts := confirm.drawer("tie"):
        _declare(**facts)


def _found(person: Person, each: FoundTie, *, own: bool, manages: bool) -> None:
    with cards.panel(f"found-{each.party_id}"):
        st.markdown(f"**Same e-mail address as {plain(each.party)}**")
        cards.note("Until somebody has said what that means, this party's cases are not given to them.")
        if not own and not manages:
            return
        place = text_fields.named("tie", person.id, f"found-{each.party_id}")
        reason = reasons.line(place, key=f"found-reason-{each.party_id}")
        with st.container(horizontal=True):
            yes = confirm.pressed("Confirm the tie", key=f"found-yes-{each.party_id}", money=not own)
            no = (
                confirm.pressed(
                    "Declare it wrong", key=f"found-no-{each.party_id}", type="secondary", money=True
                )
                if manages and not own
                else None
            )
    if yes:
        confirm.carry_out(
            yes,
            lambda session, actor, now: ties.declare_tie(
                session, actor, now=now, staff_id=person.id, party_id=each.party_id, reason=reason
            ),
            done=f"{person.name} is tied to {each.party}.",
            sent=[place],
        )
    elif no:
        confirm.carry_out(
            no,
            lambda session, actor, now: ties.rule_out(
                session, actor, now=now, staff_id=person.id, party_id=each.party_id, reason=reason
            ),
            done=f"The cases of {each.party} can be given to {person.name} again.",
            sent=[place],
        )


@st.dialog("Declare a tie", position="right", on_dismiss=confirm.close_drawer)
def _declare(person: Person) -> None:
    own = person.id == request_context.actor().id
    cards.note(
        "The party's cases are not given to them any more, and what they decided about it and is not executed returns."
    )
    party = st.number_input("Number of the party", min_value=1, step=1, value=None, key="tie-party")
    place = text_fields.named("tie", person.id, "declare")
    reason = reasons.area(place, "What ties them", key="tie-reason")
    intent = confirm.pressed("Declare the tie", key="tie", money=not own, disabled=party is None)
    if intent and party is not None:
        number = int(party)
        confirm.carry_out(
            intent,
            lambda session, actor, now: ties.declare_tie(
                session, actor, now=now, staff_id=person.id, party_id=number, reason=reason
            ),
            done=f"{person.name} is tied to party {number}.",
            sent=[place],
        )
