"""The form that lifts a hold, the same in every drawer: by one person or, above the threshold, by two."""

from __future__ import annotations

import streamlit as st

from core.actions.risk import hold_lifts, holds, payee_holds
from core.actions.risk.hold_lifts import Lifted, LiftRequirement, Proposed
from core.rules.holds import LIFTING, TOLD, HoldKind
from core.rules.permissions import Permission
from core.rules.references import reference
from dashboard import lift_preview, request_context
from dashboard.ui import cards, confirm, deadlines, reasons, second_person, text_fields
from dashboard.ui.safe import plain, words_of
from dashboard.ui.second_person import Answer

OF_PAYEE = (
    "What was verified meanwhile is released at once, and payouts go on, unless something else stops them."
)


def requirement(hold_id: int) -> LiftRequirement:
    with request_context.reading() as session:
        return hold_lifts.requirement(session, hold_id, now=request_context.now())


def form(hold_id: int, kind: str, *, placed_by_id: int | None, of_payee: bool, key: str) -> None:
    """`key`: of the button."""
    if of_payee:
        cards.note(OF_PAYEE)
    else:
        lift_preview.foretold(hold_id)
    cards.note(LIFTING[TOLD[HoldKind(kind)]])
    found = requirement(hold_id)
    own = placed_by_id is not None and placed_by_id == request_context.actor().id
    if found.proposed:
        _answer(hold_id, found.proposed, own=own, of_payee=of_payee)
    elif found.why:
        _propose(hold_id, found, key=key)
    else:
        _lift(hold_id, own=own, of_payee=of_payee, key=key)


def proposed(hold_id: int) -> None:
    """That somebody proposes to lift it, beside the hold; nothing where nobody does."""
    if each := requirement(hold_id).proposed:
        cards.note(
            f"{each.by} proposed on {deadlines.exact(each.at)} to lift it: “{each.reason}” It is lifted when someone "
            "else approves."
        )


def may_begin(hold_id: int, placed_by_id: int | None) -> bool:
    """Whoever placed a hold lifts it with a second person, and else not at all."""
    return (
        placed_by_id is None or placed_by_id != request_context.actor().id or bool(requirement(hold_id).why)
    )


def _lift(hold_id: int, *, own: bool, of_payee: bool, key: str) -> None:
    if own:
        cards.note(lift_preview.OWN)
    place = text_fields.named("hold", hold_id, "lift")
    reason = reasons.area(place, "Why it can be lifted", key="lift-reason")
    intent = confirm.pressed("Lift hold", key=key, money=True, disabled=own)
    if intent and of_payee:
        confirm.carry_out(
            intent,
            lambda session, actor, now: payee_holds.lift(
                session, actor, now=now, hold_id=hold_id, reason=reason
            ),
            sent=[place],
            done=lambda released: _done(hold_id, Lifted(milestones=released), of_payee=True),
        )
    elif intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: holds.lift(session, actor, now=now, hold_id=hold_id, reason=reason),
            sent=[place],
            done=lambda released: _done(hold_id, Lifted(released), of_payee=False),
        )


def _propose(hold_id: int, found: LiftRequirement, *, key: str) -> None:
    why = " ".join(each.sentence for each in found.why)
    cards.note(f"{why} So two people lift it: you propose it, and someone else approves.")
    place = text_fields.named("hold", hold_id, "lift")
    reason = reasons.area(place, "Why it can be lifted", key="lift-reason")
    intent = confirm.pressed("Submit for approval", key=f"{key}-propose", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: hold_lifts.propose(
                session, actor, now=now, hold_id=hold_id, reason=reason
            ),
            sent=[place],
            done=f"Submitted. Hold {reference('hold', hold_id)} is lifted when someone else approves.",
        )


def _answer(hold_id: int, each: Proposed, *, own: bool, of_payee: bool) -> None:
    with cards.panel(f"lift-{each.id}"):
        st.markdown(f"**{plain(each.by)} proposes to lift it** ({deadlines.exact(each.at)})")
        st.text(words_of(each.reason))
        yes = None
        if second_person.may_confirm(
            Permission.RELEASE_HOLD, lambda session: hold_lifts.waiting_of(session, each.id)
        ):
            if own:
                cards.note(lift_preview.OWN)
            else:
                yes = Answer(
                    "Approve and lift",
                    lambda session, actor, now, reason: hold_lifts.approve(
                        session, actor, now=now, lift_id=each.id, reason=reason
                    ),
                    done=lambda lifted: _done(hold_id, lifted, of_payee=of_payee),
                    icon=":material/lock_open:",
                )
        second_person.answers(
            text_fields.named("hold", hold_id, "answer"),
            f"lift-{each.id}",
            own=each.by_id == request_context.actor().id,
            yes=yes,
            no=Answer(
                "Reject",
                lambda session, actor, now, reason: hold_lifts.reject(
                    session, actor, now=now, lift_id=each.id, reason=reason
                ),
                done="The hold stands.",
            ),
        )


def _done(hold_id: int, lifted: Lifted, *, of_payee: bool) -> str:
    name = f"Hold {reference('hold', hold_id)}"
    return (
        f"{name} is lifted. {_released(lifted.milestones)}"
        if of_payee
        else lift_preview.done(name, lifted.released)
    )


def _released(number: int) -> str:
    if number == 0:
        return "No verified work waited for it."
    return "One milestone is released." if number == 1 else f"{number} milestones are released."
