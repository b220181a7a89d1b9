"""Blind mode on screen: the case without names, the first judgement that shows them, and who wants it so."""

from __future__ import annotations

import streamlit as st

from core.actions import blind, drafts
from core.errors import DeskError
from core.queries import blind as sights
from core.queries.blind import Sight
from core.queries.cases import Case
from core.rules.veil import NothingToReveal
from dashboard import current
from dashboard.case import draft, names
from dashboard.case.sketch import Sketch
from dashboard.ui import cards, confirm, deadline, words


def see(case: Case) -> tuple[Case, Sight]:
    """The case as this person may see it now."""
    with current.reading() as session:
        sight = sights.sight(session, current.actor(), case)
    return (names.hide(case) if sight.hidden else case), sight


def banner(sight: Sight) -> None:
    """On top of the case, as long as names are hidden."""
    if sight.hidden:
        st.info(
            "Names are hidden: you see roles until you save a first judgement. Files themselves may still show names.",
            icon=":material/visibility_off:",
        )


def reveal(case: Case, sketch: Sketch) -> None:
    """Under the form: what the mediator thinks now is kept, and the names are shown."""
    if names.shown(case):
        return
    intent = confirm.pressed(
        "Save draft and show names",
        key=f"reveal-{case.id}",
        type="secondary",
        icon=":material/visibility:",
        width="stretch",
        help="Your outcome, ground and reasons are kept as your first judgement, and the log records it.",
    )
    if not intent:
        return
    draft.save(case.id)
    words.settle(drafts.place(case.id, "reasons"))
    if sketch.outcome is None or sketch.ground is None:
        _refused(NothingToReveal())
        return
    confirm.carry_out(
        intent,
        lambda session, actor, now: blind.reveal(session, actor, now=now, ticket_id=case.id),
        done="Your first judgement is kept. These are the names.",
    )


def preference(sight: Sight, *, key: str) -> None:
    """Each mediator chooses; without a choice the policy of the platform counts."""
    if not sight.decides:
        return
    wanted = sight.default if sight.wanted is None else sight.wanted
    chosen = st.toggle(
        "Hide names in cases that I decide",
        value=wanted,
        key=key,
        help="Until you save a first judgement. The policy of the platform says what counts if you never chose.",
    )
    if chosen != wanted:
        actor, now = current.actor(), current.now()
        current.desk().database.run(lambda session: blind.prefer(session, actor, now=now, blind=chosen))
        st.rerun()
    if sight.revealed_at:
        cards.note(
            f"You were shown the names {deadline.exact(sight.revealed_at)}, after your first judgement."
        )


def _refused(error: DeskError) -> None:
    from dashboard.case import advice

    advice.show(error)
