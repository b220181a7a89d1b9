"""Opening a case where the parties do not: beside a hold, in a project, and above the queue what waits for it."""

from __future__ import annotations

import streamlit as st

from core.actions.cases import staff_opening
from core.money import Money
from core.queries import unanswered
from core.queries.bounded_list import Listed
from core.queries.unanswered import UnansweredMilestone
from core.rules.milestones import MOVES, Event, Status
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, reasons, tables, text_fields

DRAWER = "open-case"
ICON = ":material/gavel:"
OPEN_TO_IT = frozenset(status for status, event in MOVES if event is Event.OPEN_CASE) | {Status.DISPUTED}


def possible(status: Status | str, held: Money) -> bool:
    """To whoever may, while the money is held and no mediator has the case yet."""
    return request_context.may(Permission.OPEN_CASE) and Status(status) in OPEN_TO_IT and not held.is_zero


def button(milestone_id: int, label: str = "Open a case") -> None:
    st.button(
        label,
        key=f"open-case-{milestone_id}",
        icon=ICON,
        help="A mediator decides about the held money. Possible until something of it is released.",
        on_click=confirm.open_drawer,
        args=(DRAWER,),
        kwargs={"milestone_id": milestone_id},
    )


def drawer() -> bool:
    """Whether it is open."""
    if facts := confirm.drawer(DRAWER):
        _dialog(**facts)
    return bool(facts)


@st.dialog("Open a case", position="right", on_dismiss=confirm.close_drawer)
def _dialog(milestone_id: int) -> None:
    st.text(f"M-{milestone_id}")
    cards.note(
        "Both parties are told, a mediator takes the case, and nothing is released before the decision. An approval is "
        "set aside; a late complaint becomes part of the case. Other holds stay until they are lifted."
    )
    place = text_fields.named("milestone", milestone_id, "open-case")
    reason = reasons.area(
        place,
        "Why",
        key="open-case-why",
        placeholder="Staff only: the parties do not read this",
    )
    intent = confirm.pressed("Open case", key="open-case", icon=ICON)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: staff_opening.by_staff(
                session, actor, now=now, milestone_id=milestone_id, reason=reason
            ),
            done=lambda made: f"Case D-{made.id} is open.",
            then=lambda made: navigation.go("case", id=made.id),
            sent=[place],
        )


def waiting() -> None:
    """Work for a person: submitted, the time to answer over, and neither approved nor disputed. Nothing if none is."""
    if not request_context.may(Permission.OPEN_CASE):
        return
    with request_context.reading() as session:
        rows = unanswered.waiting(session)
    if not rows:
        return
    held = "milestone waits" if rows.total == 1 else "milestones wait"
    with st.expander(
        f"{rows.total:,} {held} for an answer: neither approved nor disputed in time",
        icon=":material/hourglass_disabled:",
    ):
        _listed(rows)


def _listed(rows: Listed[UnansweredMilestone]) -> None:
    tables.table(
        rows,
        [
            tables.leads("project", "Project", to=lambda row: ("project", {"id": row.project_id})),
            tables.text("reference", "Milestone", width=80),
            tables.text("title", "Title"),
            tables.money("held", "Held"),
            tables.when("since", "Answer was due"),
        ],
        key="unanswered",
        download=tables.Table(
            "unanswered",
            lambda session: unanswered.waiting(session, limit=None),
            permission=Permission.EXPORT_CASE,
        ),
        name="Neither approved nor disputed",
    )
    if rows.note:
        cards.note(rows.note)
