"""Blind mode on screen: the case without names, the first judgement that shows them, and who wants it so."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.actions.cases import names_hidden
from core.actions.decisions import drafts
from core.errors import DeskError
from core.queries import masked
from core.queries import names_hidden as sights
from core.queries.cases import CaseView
from core.queries.names_hidden import NameVisibility
from core.rules.masking import Personal
from core.rules.name_redaction import NothingToReveal
from dashboard import masks, request_context
from dashboard.case import redaction
from dashboard.case.decision import drafts as draft_fields
from dashboard.case.decision.decision_input import DecisionInput
from dashboard.ui import cards, confirm, deadlines, text_fields


def see(case: CaseView) -> tuple[CaseView, NameVisibility]:
    """The case as this person may see it now: by names, or by roles, as where names are masked for them."""
    with request_context.reading() as session:
        sight = sights.sight(session, request_context.actor(), case)
    if sight.hidden or not _masked():
        return (redaction.hide(case) if sight.hidden else case), sight
    actor, now = request_context.actor(), request_context.now()
    with request_context.desk().database.reading() as session:  # to find the names within words
        names = masked.names(session, [each.id for each in case.parties])
        shown = masked.revealed(session, actor.id or 0, now=now, session_id=actor.session_id)
    if shown >= names.keys():
        return case, sight
    masks.offer({each.id: redaction.role_of(case, each) for each in case.parties})
    return redaction.hide(case, names), replace(sight, hidden=True)


def _masked() -> bool:
    return Personal.IDENTITY not in request_context.sight().sees


def banner(sight: NameVisibility) -> None:
    """On top of the case, as long as names are hidden."""
    if not sight.hidden:
        return
    if _masked():
        st.info(
            "Names are masked: you see roles. Reveal names, with a reason, where you need them. Files themselves may "
            "still show names.",
            icon=":material/visibility_off:",
        )
    else:
        st.info(
            "Names are hidden: you see roles until you save a first judgement. Files themselves may still show names.",
            icon=":material/visibility_off:",
        )


def reveal(case: CaseView, sketch: DecisionInput) -> None:
    """Under the form: what the mediator thinks now is kept, and the names are shown."""
    if redaction.shown(case):
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
    draft_fields.save(case.id)
    text_fields.settle(drafts.place(case.id, "reasons"))
    if sketch.outcome is None or sketch.ground is None:
        _refused(NothingToReveal())
        return
    confirm.carry_out(
        intent,
        lambda session, actor, now: names_hidden.reveal(session, actor, now=now, case_id=case.id),
        done="Your first judgement is kept. These are the names.",
    )


def preference(sight: NameVisibility, *, key: str) -> None:
    """Each mediator chooses; without a choice the policy of the marketplace counts."""
    if not sight.decides:
        return
    wanted = sight.default if sight.wanted is None else sight.wanted
    chosen = st.toggle(
        "Hide names in cases that I decide",
        value=wanted,
        key=key,
        help="Until you save a first judgement. The policy of the marketplace says what counts if you never chose.",
    )
    if chosen != wanted:
        actor, now = request_context.actor(), request_context.now()
        request_context.desk().database.run(
            lambda session: names_hidden.prefer(session, actor, now=now, blind=chosen)
        )
        st.rerun()
    if sight.revealed_at:
        cards.note(
            f"You were shown the names {deadlines.exact(sight.revealed_at)}, after your first judgement."
        )


def _refused(error: DeskError) -> None:
    from dashboard.case import next_steps

    next_steps.show(error)
