"""What staff can do with a case besides deciding it: take it, hand it over, stop its money."""

from __future__ import annotations

import streamlit as st

from core.actions.cases import mediator_assignment
from core.actions.risk import holds
from core.queries import cases, disputes
from core.queries.cases import CaseView, HoldInForce
from core.rules.holds import BY_STAFF, PLACING, TOLD, HoldKind, who
from core.rules.permissions import Permission
from core.rules.references import reference
from dashboard import lifting, navigation, request_context
from dashboard.case import case_file, party_request
from dashboard.case.queue import assignment
from dashboard.ui import cards, confirm, deadlines, kept_choices, reasons, status, text_fields

DRAWERS = ("claim", "hand-over", "step-back", "hold", "lift", "ask")


def buttons(case: CaseView) -> None:
    """The buttons of the head, each only for whoever may press it. J and K go through one's own cases."""
    me = request_context.actor().id
    _turn(case, me)
    if case.open and request_context.may(Permission.ASSIGN_CASE):
        mine = case.record.mediator_id == me
        if request_context.may(Permission.DECIDE) and not mine and not case.tie and not case.left_by(me):
            _claim(case, me)
        if not case.left_by(me):
            _opens("Reassign", "hand-over", "swap_horiz")
            _opens("Recuse myself", "step-back", "do_not_disturb_on")
    if case.in_mediation and request_context.may(Permission.WORK_CASE) and not case.left_by(me):
        _opens("Ask a party", "ask", "contact_support")
    if case.holds and request_context.may(Permission.RELEASE_HOLD):
        _opens("Lift hold", "lift", "lock_open")
    if request_context.may(Permission.PLACE_HOLD) and case.can_hold:
        _opens("Hold", "hold", "lock")
    if request_context.may(Permission.EXPORT_CASE):
        case_file.button(case)


def drawers(case: CaseView) -> None:
    """Whichever drawer is open."""
    if confirm.drawer("hand-over") is not None:
        assignment.hand_over(case)
    elif confirm.drawer("step-back") is not None:
        assignment.recuse(case)
    elif confirm.drawer("claim") is not None:
        assignment.take(case)
    elif confirm.drawer("ask") is not None:
        party_request.drawer(case)
    elif confirm.drawer("hold") is not None:
        _hold(case)
    elif confirm.drawer("lift") is not None:
        _lift(case.id)
    elif request_context.may(Permission.EXPORT_CASE):
        case_file.drawer(case)


def _turn(case: CaseView, me: int | None) -> None:
    """To my case before or after this one, in the order in which they are due."""
    with request_context.reading() as session:
        before, after = disputes.neighbours(session, case.id, me=me or 0)
    sides = (("Previous", before, "chevron_left", "K"), ("Next", after, "chevron_right", "J"))
    there = [each for each in sides if each[1] is not None]
    if not there:
        return
    with st.container(horizontal=True, width="content", gap="small", key="case-turns"):
        for label, number, icon, letter in there:
            if st.button(
                "",
                key=f"case-{label.lower()}",
                icon=f":material/{icon}:",
                shortcut=letter,
                help=f"{label} of your cases: D-{number}",
            ):
                navigation.go("case", id=number)


def _opens(label: str, name: str, icon: str) -> None:
    st.button(
        label, key=f"case-{name}", icon=f":material/{icon}:", on_click=confirm.open_drawer, args=(name,)
    )


def _claim(case: CaseView, me: int | None) -> None:
    """A free case with one press; another's is asked about first."""
    if case.record.mediator_id is not None:
        _opens("Claim", "claim", "front_hand")
        return
    intent = confirm.pressed("Claim", key="case-claim", icon=":material/front_hand:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: mediator_assignment.assign(
                session, actor, now=now, case_id=case.id, staff_id=me, taken_from=None
            ),
            done=f"Case {case.reference} is yours.",
        )


@st.dialog("Place a hold", position="right", on_dismiss=confirm.close_drawer)
def _hold(case: CaseView) -> None:
    st.caption("Stops every release and payout of this milestone until someone lifts it.")
    labels = status.labels("hold")
    place = text_fields.named("milestone", case.context.milestone.id, "hold")
    kind = st.segmented_control(
        "Reason type",
        list(BY_STAFF),
        required=True,
        format_func=labels.__getitem__,
        key=kept_choices.choice_key(place, "kind", list(BY_STAFF), default=HoldKind.MANUAL, key="hold-kind"),
    )
    cards.note(PLACING[TOLD[kind or HoldKind.MANUAL]])
    reason = reasons.area(place, "Reason", key="hold-reason")
    intent = confirm.pressed("Place hold", key="hold", icon=":material/lock:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: holds.place(
                session,
                actor,
                now=now,
                milestone_id=case.context.milestone.id,
                reason=reason,
                kind=kind or HoldKind.MANUAL,
            ),
            done="The hold is in place.",
            sent=[place],
        )


@st.dialog("Lift a hold", position="right", on_dismiss=confirm.close_drawer)
def _lift(case_id: int) -> None:
    """The holds are read in here: a dialog that draws itself again is given what it was opened with."""
    if not confirm.step_up("acts-lift"):
        return
    with request_context.reading() as session:
        case = cases.case(session, case_id, staff_id=request_context.actor().id)
    if not case.holds:
        confirm.changed_meanwhile("No hold is in force any more: a colleague has lifted it.")
        return
    by_id = {each.id: each for each in case.holds}
    number = st.selectbox("Hold", list(by_id), format_func=lambda each: _option(by_id[each]))
    chosen = by_id[number]
    cards.note(f"Placed {deadlines.exact(chosen.placed_at)} by {who(chosen.kind, chosen.placed_by)}.")
    lifting.form(number, chosen.kind, placed_by_id=chosen.placed_by_id, of_payee=chosen.of_payee, key="lift")


def _option(hold: HoldInForce) -> str:
    stops = ", on all money of the payee" if hold.of_payee else ""
    return f"{reference('hold', hold.id)}{stops}: {hold.reason}"
