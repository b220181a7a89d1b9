"""The decision while it is being made: outcome, share, ground, citations, reasons, and what each side would have.

A fragment: typing redraws only this panel. Nothing here is recorded; the plan is previewed first.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.decisions import confirmation, drafts
from core.actions.decisions.plan import REASONS_LEAST
from core.actions.milestones import project_progression
from core.errors import DeskError
from core.money import Money
from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem
from core.queries.precedents import Precedents
from core.rules import approvals, grounds
from core.rules.grounds import TERMS, DecisionOutcome, Ground
from core.rules.projects import ProjectStatus
from dashboard import request_context
from dashboard.case import names_hidden, next_steps
from dashboard.case.decision import citations, items, letter_passages, outcome_amounts, precedents, preview
from dashboard.case.decision import drafts as draft_fields
from dashboard.case.decision.decision_input import DecisionInput, ItemInput
from dashboard.ui import cards, confirm, deadlines, errors, header, text_fields
from dashboard.ui.safe import plain

OUTCOMES = {
    DecisionOutcome.FULL_RELEASE: "Full release",
    DecisionOutcome.PARTIAL_RELEASE: "Partial release",
    DecisionOutcome.FULL_REFUND: "Full refund",
}
LONGEST = 6_000


@st.fragment
def show(case: CaseView, pieces: Sequence[EvidenceItem], past: Precedents) -> None:
    header.section("Decision", f"{case.context.money(case.context.order.held_minor)} is held")
    _whose(case)
    _restored(case)
    sketch = _sketch(case, pieces, past)
    draft_fields.save(case.id)
    _second_person(case, sketch)
    unread = preview.unread(pieces, sketch.evidence_ids)
    if unread:
        st.markdown(f":orange[:material/visibility_off:] {plain(unread)}")
    if confirm.pressed(
        "Preview plan", key="preview", icon=":material/preview:", width="stretch", shortcut="D"
    ):
        _preview(case, sketch)
    names_hidden.reveal(case, sketch)
    cards.note("Nothing is decided yet. The preview shows every posting, every operation and every e-mail.")


def _whose(case: CaseView) -> None:
    """Said before anything is chosen; confirming asks."""
    if case.record.mediator_id not in (None, request_context.actor().id):
        st.info(plain(f"This case is {case.mediator}'s."), icon=":material/person:")


def _restored(case: CaseView) -> None:
    if (at := draft_fields.restored(case.id)) is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Your draft of {deadlines.exact(at)} was restored.", width="content")
        st.button(
            "Discard", key="draft-discard", type="tertiary", on_click=draft_fields.discard, args=(case.id,)
        )


def _sketch(case: CaseView, pieces: Sequence[EvidenceItem], past: Precedents) -> DecisionInput:
    outcome = st.segmented_control(
        "Outcome",
        list(OUTCOMES),
        format_func=OUTCOMES.__getitem__,
        key=draft_fields.restore(case.id, "outcome", None),
        width="stretch",
        label_visibility="collapsed",
    )
    by, share, rows = _share(case) if outcome is DecisionOutcome.PARTIAL_RELEASE else ("", "", ())
    place = st.container()
    ground, override = _ground(case, outcome)
    with place:
        outcome_amounts.show(
            case, DecisionInput(outcome=outcome, by=by, share=share, rows=rows, ground=ground)
        )
        precedents.show(case, past)
    reasons = text_fields.area(
        drafts.place(case.id, "reasons"),
        "Reasons",
        key=draft_fields.key(case.id, "reasons"),
        height=132,
        least=REASONS_LEAST,
        most=LONGEST,
        placeholder="What was agreed, what was delivered, and which evidence shows it.",
        help=f"At least {REASONS_LEAST} characters. Both parties read them in their e-mail, and so does any reviewer.",
    )
    passages = letter_passages.show(case)
    references, evidence_ids = citations.show(case.id, pieces)
    draft_fields.keep(case.id, outcome=outcome)
    return DecisionInput(
        outcome=outcome,
        by=by,
        share=share,
        rows=rows,
        ground=ground,
        reasons=reasons,
        references=references,
        evidence_ids=evidence_ids,
        override=override,
        ends_project=_ends_project(case, ground),
        passages=passages,
    )


def _share(case: CaseView) -> tuple[str, str, tuple[ItemInput, ...]]:
    """How much of what is held goes to the payee: an amount, a part of it, or what was done of the work."""
    currency = case.context.milestone.currency
    ways = {currency: currency, "%": "%", "items": "Items of work"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        by = st.segmented_control(
            "Share by",
            list(ways),
            format_func=ways.__getitem__,
            required=True,
            key=draft_fields.restore(case.id, "by", currency),
            label_visibility="collapsed",
        )
        share = draft_fields.value(case.id, "share", "")
        if by != "items":
            share = st.text_input(
                f"Release to {plain(case.context.payee.name)}",
                key=draft_fields.restore(case.id, "share", ""),
                placeholder="62.5" if by == "%" else Money(case.context.order.held_minor, currency).major(),
                live=True,
                max_chars=24,
            )
    draft_fields.keep(case.id, by=by, share=share or "")
    return by or currency, share or "", items.show(case) if by == "items" else ()


def _ground(case: CaseView, outcome: DecisionOutcome | None) -> tuple[Ground | None, bool]:
    """Only grounds that can carry the outcome; what the chosen one means stands under it."""
    fitting = list(grounds.for_outcome(outcome)) if outcome else []
    field = draft_fields.restore(case.id, "ground", None)
    if st.session_state[field] not in fitting:
        st.session_state[field] = fitting[0] if len(fitting) == 1 else None
    ground = st.selectbox(
        "Ground",
        fitting,
        index=None,
        format_func=lambda each: each.label,
        key=field,
        disabled=not fitting,
        placeholder="Choose the ground" if fitting else "Choose an outcome first",
    )
    draft_fields.keep(case.id, ground=ground)
    if ground is None:
        return None, False
    absorbs = " The platform also pays the processing fee back." if TERMS[ground].platform_absorbs else ""
    cards.note(TERMS[ground].explanation + absorbs)
    if ground is not Ground.OUTCOME_DISSATISFACTION:
        return ground, False
    override = st.checkbox(
        "Override: refund although the agreed work was delivered",
        key=draft_fields.restore(case.id, "override", False),
        help="Legal rules give no refund for the result alone. An override takes a second person.",
    )
    draft_fields.keep(case.id, override=override)
    return ground, override


def _ends_project(case: CaseView, ground: Ground | None) -> bool:
    """After a refund because nobody works on it, whether the rest of the project is still wanted, where one is left."""
    if ground not in grounds.MAY_END_PROJECT:
        return False
    with request_context.reading() as session:
        rest = project_progression.could_cancel(session, case.context)
        after = project_progression.status_foreseen(session, case.context, refunded=True, ends=False)
    if not rest:
        if after is not ProjectStatus.ACTIVE:
            cards.note("No other milestone of the project is left, so it ends with this decision.")
        return False
    ends = st.checkbox(
        "The project ends with this refund",
        key=draft_fields.restore(case.id, "ends_project", False),
        help="Milestones that are not funded yet are canceled; funded ones go on. Otherwise the next milestone is due "
        "as soon as the refund is made, and the payer is asked to fund it.",
    )
    draft_fields.keep(case.id, ends_project=ends)
    return ends


def _second_person(case: CaseView, sketch: DecisionInput) -> None:
    """Said while deciding; the preview asks again, with the decisions of the day."""
    if sketch.ground is None:
        return
    held = case.context.money(case.context.order.held_minor)
    why = approvals.second_person_reasons(
        held, case.context.profile, sketch.ground, 0, override=sketch.override
    )
    errors.reasons([each.sentence for each in why], title="A second person must approve")


def _preview(case: CaseView, sketch: DecisionInput) -> None:
    try:
        wanted = sketch.draft(case)
        with request_context.reading() as session:
            made, second = confirmation.preview(
                session, request_context.actor(), now=request_context.now(), draft=wanted
            )
    except DeskError as error:
        next_steps.show(error)
        return
    preview.remember(case.id, wanted, made, second)
    confirm.open_drawer("plan")
    st.rerun()
