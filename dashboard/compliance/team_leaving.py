"""Leaving and coming back on screen: whoever is deactivated hands over every open case in the same step."""

from __future__ import annotations

import streamlit as st

from core.actions.staff import members
from core.queries import team
from core.queries.people import Person
from core.queries.team import OpenCase
from core.rules.permissions import Permission
from core.rules.references import reference
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons, text_fields

QUEUE = "Back to the queue"


def ways(person: Person) -> None:
    if not request_context.may(Permission.MANAGE_STAFF) or person.id == request_context.actor().id:
        return
    label, name, icon = (
        ("Deactivate", "deactivate", ":material/person_off:")
        if person.active
        else ("Reactivate", "reactivate", ":material/person_check:")
    )
    st.button(
        label,
        key=f"open-{name}",
        icon=icon,
        on_click=confirm.open_drawer,
        args=(name,),
        kwargs={"person": person},
    )
    if facts := confirm.drawer("deactivate"):
        _deactivate(**facts)
    elif facts := confirm.drawer("reactivate"):
        _reactivate(**facts)


@st.dialog("Deactivate", position="right", on_dismiss=confirm.close_drawer)
def _deactivate(person: Person) -> None:
    cards.note(
        f"{person.name} is signed out at once in every browser, loses every role and cannot sign in again. Coming back "
        "is without a role, until two administrators give one."
    )
    with request_context.reading() as session:
        cases = team.cases_of(session, person.id)
    to = {each.id: _to(each) for each in cases}
    place = text_fields.named("staff", person.id, "leave")
    reason = reasons.area(place, "Why", key="leave-reason")
    intent = confirm.pressed("Deactivate", key="deactivate", icon=":material/person_off:", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: members.set_active(
                session,
                actor,
                now=now,
                staff_id=person.id,
                active=False,
                reason=reason,
                hand_over=to,
            ),
            done=f"{person.name} does not work here any more.{_handed(len(to))}",
            sent=[place],
        )


def _to(case: OpenCase) -> int | None:
    names = {each.id: f"{each.name} ({each.open_cases} open)" for each in case.colleagues}
    chosen: int | None = st.selectbox(
        f"{reference('case', case.id)} goes to",
        [None, *names],
        format_func=lambda each: QUEUE if each is None else names[each],
        key=f"hand-over-{case.id}",
    )
    return chosen


def _handed(number: int) -> str:
    if not number:
        return ""
    return " One case is handed over." if number == 1 else f" {number} cases are handed over."


@st.dialog("Reactivate", position="right", on_dismiss=confirm.close_drawer)
def _reactivate(person: Person) -> None:
    cards.note(f"{person.name} can sign in again, without a role: propose one afterwards.")
    place = text_fields.named("staff", person.id, "return")
    reason = reasons.area(place, "Why", key="return-reason")
    intent = confirm.pressed("Reactivate", key="reactivate", icon=":material/person_check:", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: members.set_active(
                session, actor, now=now, staff_id=person.id, active=True, reason=reason
            ),
            done=f"{person.name} works here again, without a role.",
            sent=[place],
        )
