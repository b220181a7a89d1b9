"""Taking a case, giving it to someone else with a word about it, and recusal from it for good."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from core.actions.cases import mediator_assignment, recusal
from core.errors import DeskError
from core.queries import disputes, mediators
from core.queries.cases import CaseView
from core.queries.mediators import Colleague
from core.records import Case
from core.rules.permissions import Actor
from dashboard import request_context
from dashboard.ui import cards, confirm, kept_choices, reasons, text_fields
from dashboard.ui.safe import plain


class NothingToClaim(DeskError):
    """No case is waiting for a mediator that you could take. Look again later."""


def claim_next(session: Session, actor: Actor, now: datetime) -> Case:
    """The unassigned case that is due first and that the actor may take."""
    case_id = disputes.next_unassigned(session, me=actor.id or 0, now=now)
    if case_id is None:
        raise NothingToClaim()
    return mediator_assignment.assign(session, actor, now=now, case_id=case_id, staff_id=actor.id)


@st.dialog("Claim this case", position="right", on_dismiss=confirm.close_drawer)
def take(case: CaseView) -> None:
    """It is someone else's: said, and asked."""
    whose, me = case.record.mediator_id, request_context.actor().id
    if whose is None or whose == me:
        confirm.changed_meanwhile("This case is yours now." if whose else "This case is unassigned.")
        return
    st.warning(
        plain(f"This case is {case.mediator}'s. They are told that you took it."), icon=":material/person:"
    )
    intent = confirm.pressed("Take it over", key="claim-take", icon=":material/front_hand:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: mediator_assignment.assign(
                session, actor, now=now, case_id=case.id, staff_id=me, taken_from=whose
            ),
            done=f"Case {case.reference} is yours.",
        )


@st.dialog("Reassign", position="right", on_dismiss=confirm.close_drawer)
def hand_over(case: CaseView) -> None:
    """The best choice first: the skill that the case asks for, then the fewest open cases."""
    skill = case.context.project.project_type
    with request_context.reading() as session:
        everyone = mediators.for_parties(session, case.parties, case_id=case.id, skill=skill)
    free = {
        each.id: _called(each)
        for each in everyone
        if each.why_not is None and each.id != case.record.mediator_id
    }
    place = text_fields.named("case", case.id, "handover")
    offered = [*free, 0]
    to = st.selectbox(
        "To",
        offered,
        format_func=lambda number: free.get(number, "Nobody: back to the queue"),
        key=kept_choices.choice_key(place, "to", offered, default=offered[0]),
    )
    for each in everyone:
        if each.why_not:
            cards.note(f"{each.name} is not offered: {each.why_not}")
    note = text_fields.area(
        place,
        "Handover note",
        height=120,
        placeholder="Where it stands, what is open, what you promised. Staff only.",
    )
    intent = confirm.pressed("Reassign", key="hand-over")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: mediator_assignment.assign(
                session,
                actor,
                now=now,
                case_id=case.id,
                staff_id=to or None,
                note=note,
                taken_from=case.record.mediator_id,
            ),
            done=f"Reassigned to {free[to]}." if to else "Back in the queue.",
            sent=[place],
        )


@st.dialog("Recuse myself", position="right", on_dismiss=confirm.close_drawer)
def recuse(case: CaseView) -> None:
    me = request_context.actor().id
    skill = case.context.project.project_type
    with request_context.reading() as session:
        everyone = mediators.for_parties(session, case.parties, case_id=case.id, skill=skill)
    names = {each.id: each.name for each in everyone}
    said = [
        "Permanent: this case is never yours again, and you neither decide nor approve it, nor reassign it, "
        "nor write to its parties."
    ]
    if case.record.mediator_id == me:
        said.append(_goes(case, [each for each in everyone if each.why_not is None and each.id != me]))
    if (
        case.decision
        and case.decision.pending
        and me in (case.decision.record.maker_id, case.decision.record.checker_id)
    ):
        done = "made" if case.decision.record.maker_id == me else "approved"
        said.append(
            f"The decision that you {done} becomes void: it is not carried out, and a colleague decides again."
        )
    st.caption(plain(" ".join(said)))
    place = text_fields.named("case", case.id, "recusal")
    reason = reasons.area(
        place,
        "Why",
        placeholder="For example: the payee is a neighbour. Staff only.",
    )
    intent = confirm.pressed("Recuse myself", key="recuse", icon=":material/do_not_disturb_on:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: recusal.recuse(
                session, actor, now=now, case_id=case.id, reason=reason
            ),
            done=lambda record: _recused(record, names),
            sent=[place],
        )


def _goes(case: CaseView, free: list[Colleague]) -> str:
    """What becomes of it, as things stand: the desk looks again when it is done."""
    if not case.in_mediation:
        return "It goes back to the queue."
    if not free:
        return "No other mediator is available for it now, so it goes back to the queue, unassigned."
    return f"It goes to the next available mediator at once: {free[0].name}, as things stand."


def _recused(record: Case, names: dict[int, str]) -> str:
    whose = names.get(record.mediator_id or 0)
    now = f"It is {whose}'s." if whose else "It waits in the queue, unassigned."
    return f"You recused yourself from this case. {now}"


def _called(each: Colleague) -> str:
    knows = ", knows this kind of work" if each.skilled else ""
    return f"{each.name} · {each.open_cases} open{knows}"
