"""The plan before it is confirmed, in a wide dialog, and the one button that records the decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.actions.decisions import cautions, confirmation, drafts
from core.actions.decisions.plan import Draft, Plan
from core.errors import DeskError
from core.letters import Letter
from core.queries import evidence
from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem
from core.records import Decision
from core.rules import plan_diff
from core.rules.approvals import DecisionStatus
from core.rules.cautions import Caution
from core.rules.grounds import Reference
from core.rules.permissions import Actor
from core.rules.refusal_reasons import Block
from dashboard import request_context
from dashboard.case import redaction
from dashboard.case.decision import changes, changes_since_opened, letter_list, plan_view
from dashboard.case.decision import drafts as draft_fields
from dashboard.ui import cards, confirm, deadlines, errors
from dashboard.ui.safe import plain

MESSAGES = Reference.MESSAGE_HISTORY.value
DONE = {
    DecisionStatus.AWAITING_APPROVAL: "Decided. A second person must approve the plan before money moves.",
    DecisionStatus.COOLING_OFF: "Decided. It is carried out when the cooling-off is over, unless the case changes.",
    DecisionStatus.EXECUTED: "Decided and posted. Sending to Stripe.",
}


@dataclass(frozen=True)
class Previewed:
    """What the mediator sees and would confirm."""

    draft: Draft
    content: dict[str, Any]
    hash: str
    second: tuple[Block, ...]
    papers: Mapping[str, Letter]
    newest: int


def remember(case_id: int, wanted: Draft, made: Plan, second: tuple[Block, ...]) -> None:
    """The messages that were read stay those: what a party writes while the plan is being read changes nothing."""
    said = [each["id"] for each in made.content["citations"] if each["reference"] == MESSAGES]
    milestone_id: int = made.content["milestone"]
    with request_context.reading() as session:
        newest = evidence.newest(session, milestone_id)
    pinned = replace(wanted, said_until=said[0] if said else None)
    st.session_state[f"plan-{case_id}"] = Previewed(
        pinned, made.content, made.hash, second, made.papers, newest
    )
    changes_since_opened.forget(f"plan-{case_id}")


def unread(pieces: Sequence[EvidenceItem], cited: Collection[int]) -> str:
    """What of the evidence the reader has not opened, and how much of it is not cited."""
    unopened = [each.file_name for each in pieces if each.opened_at is None]
    uncited = len({each.id for each in pieces} - set(cited))
    words = []
    if unopened:
        more = f" and {len(unopened) - 2} more" if len(unopened) > 2 else ""
        words.append(f"Not opened by you: {', '.join(unopened[:2])}{more}.")
    if uncited:
        words.append(f"{uncited} of {len(pieces)} pieces of evidence are not cited.")
    return " ".join(words)


def drawer(case: CaseView) -> None:
    """Open as long as the session says so, and a plan was made."""
    if f"plan-{case.id}" in st.session_state and confirm.drawer("plan") is not None:
        _dialog(case)


@st.dialog("Decision preview", width="large", icon=":material/gavel:", on_dismiss=confirm.close_drawer)
def _dialog(case: CaseView) -> None:
    """What it shows is looked up in here: a dialog that draws itself again is given what it was opened with."""
    seen: Previewed | None = st.session_state.get(f"plan-{case.id}")
    if seen is None:
        return
    plan_view.show(
        seen.content,
        seen.hash,
        key=f"plan-{case.id}",
        people=people(case),
        letters=letter_list.read(
            seen.content, seen.papers, second=bool(seen.second), wait=case.context.profile.cooling_off
        ),
        words=partial(redaction.redact, case),
    )
    errors.reasons([each.sentence for each in seen.second], title="A second person must approve this plan")
    with request_context.reading() as session:
        milestone_id = case.context.milestone.id
        pieces = evidence.evidence(session, milestone_id, staff_id=request_context.actor().id)
        said = evidence.messages(session, milestone_id, beyond=seen.newest)
    if words := unread(pieces, seen.draft.evidence_ids):
        st.markdown(f":orange[:material/visibility_off:] {plain(redaction.redact(case, words))}")
    if wait := case.context.profile.cooling_off:
        cards.note(f"It is carried out {deadlines.span(wait)} after it is final, unless the case changes.")
    added = [each for each in pieces if each.sha256 not in seen.content["bindings"]["evidence"]]
    if added:
        changes_since_opened.evidence(case, added, beside="this plan was made")
        _stale(case, seen)
    read = changes_since_opened.show(case, f"plan-{case.id}", said, beside="this plan was made")
    known = _known(case)
    intent = confirm.pressed(
        "Confirm decision", key=f"decide-{case.id}", money=True, icon=":material/gavel:", width="stretch"
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: _confirm(session, actor, now, seen, intent, known, read),
            done=_recorded,
        )
        cards.note("Nothing was recorded, and your draft is kept.")
        if not added:
            _stale(case, seen)


def _stale(case: CaseView, seen: Previewed) -> None:
    """What the plan would be now, beside what was read; one press reads it again."""
    try:
        with request_context.reading() as session:
            wanted = replace(seen.draft, said_until=None)
            made, second = confirmation.preview(
                session, request_context.actor(), now=request_context.now(), draft=wanted
            )
    except DeskError:
        return  # its sentence stands above already
    if made.hash == seen.hash:
        return
    if differs := plan_diff.between(seen.content, made.content):
        changes.table(differs, "As you read it", "As it is now")
    else:
        cards.note(
            "No amount and no word would be another, but what came in since belongs to the case: look at it."
        )
    st.button(
        "Read the current plan",
        key=f"plan-again-{case.id}",
        icon=":material/refresh:",
        on_click=remember,
        args=(case.id, wanted, made, second),
    )


SAID = {
    Caution.ANOTHERS_CASE: "I know that this case is someone else's, and decide it in their place",
    Caution.ANSWER_PENDING: "I decide without the answer that was asked for",
    Caution.REFUND_BY_HAND: "I know that money moved outside the desk, and that a refund waits until that is settled",
}


def _known(case: CaseView) -> frozenset[Caution]:
    """What must be said before confirming, each with its sentence; what was said."""
    with request_context.reading() as session:
        found = cautions.of(session, request_context.actor(), case.id)
    said = set()
    for each, error in found.items():
        st.warning(plain(error.message), icon=":material/warning:")
        if st.checkbox(SAID[each], key=f"known-{case.id}-{each.value.lower()}"):
            said.add(each)
    return frozenset(said)


def _confirm(
    session: Session,
    actor: Actor,
    now: datetime,
    seen: Previewed,
    intent: str,
    known: frozenset[Caution],
    read: int,
) -> Decision:
    """Decided, and the draft forgotten, or neither."""
    decision = confirmation.confirm(
        session,
        actor,
        now=now,
        draft=seen.draft,
        plan_hash=seen.hash,
        intent=intent,
        known=known,
        seen=max(seen.newest, read),
    )
    drafts.clear(session, actor, now=now, case_id=decision.case_id)
    return decision


def _recorded(decision: Decision) -> str:
    draft_fields.forget(decision.case_id)
    st.session_state.pop(f"plan-{decision.case_id}", None)
    return DONE[DecisionStatus(decision.status)]


def people(case: CaseView) -> dict[str, str]:
    return {"payer": case.context.payer.name, "payee": case.context.payee.name}
