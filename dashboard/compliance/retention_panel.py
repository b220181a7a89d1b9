"""The retention run on screen: how long what is kept, who is due, what keeps them nevertheless, and what waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from core.actions.privacy import erasures, retention
from core.actions.staff import policy_in_force
from core.errors import DeskError
from core.policy import Platform
from core.policy.retention import KINDS
from core.policy.wording import exact_span
from core.processes import erased_files
from core.queries import personal_data
from core.queries import retention as due_people
from core.queries.retention import PersonDue, RunPlan, RunWaits
from core.rules.irreversible import check_typed
from core.rules.permissions import Actor, Permission
from core.rules.reasons import given
from dashboard import navigation, request_context
from dashboard.compliance.erasure_panel import LOST
from dashboard.ui import bulk, cards, confirm, deadlines, errors, reasons, second_person, tables, text_fields
from dashboard.ui.safe import html, plain
from dashboard.ui.status import in_words

KEY = "retention"
SHOWN = 20
MANY, LONG = 10, 320  # of more people than this the list scrolls, at this height
WHAT = (
    "Whoever is due is erased by two people, for good, as one person is: one proposes the run, another carries it out. "
    "A legal hold wins, and so does everything else that is in the way."
)


def show() -> None:
    """Folded while nobody is due and nothing waits."""
    bulk.results(KEY)
    now = request_context.now()
    with request_context.reading() as session:
        found, waiting = due_people.due(session, now=now), due_people.waiting(session)
        shown = due_people.looked_at(session, found[:SHOWN])
    label = "Retention: nobody is due" if not found else f"Retention: due {len(found):,}"
    with st.expander(label, icon=":material/event_busy:", expanded=bool(waiting)):
        _policy()
        cards.note(WHAT)
        if found:
            _due(shown, more=len(found) - len(shown))
        if waiting:
            _waiting(waiting)
        elif found and request_context.may(Permission.PROPOSE_ERASURE):
            st.button(
                "Propose the run",
                key="open-propose-retention",
                icon=":material/person_remove:",
                on_click=confirm.open_drawer,
                args=("propose-retention",),
            )


def drawers() -> bool:
    """Whether one is open."""
    if confirm.drawer("propose-retention") is None:
        return False
    _propose()
    return True


def _policy() -> None:
    """As it is in force now; the page Policy says how it came so."""
    with request_context.reading() as session:
        profiles = {each: policy_in_force.of(session, each, request_context.now())[1] for each in Platform}
    tables.small(
        KINDS,
        [
            tables.text("what", "What is kept", width=320),
            tables.text("after", "After", width=200),
            *(
                tables.text(
                    each.value,
                    in_words(each.value),
                    value=lambda kind, each=each: exact_span(getattr(profiles[each], kind.field)),
                )
                for each in Platform
            ),
        ],
        name="What is kept for how long",
    )
    navigation.link("policy", "The policy", icon=":material/tune:")


def _due(shown: Sequence[PersonDue], *, more: int) -> None:
    tables.small(
        shown,
        [
            tables.text("external_id", "External id", width=130),
            tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform), width=130),
            tables.when("since", "Last event", width=150),
            tables.when("due_at", "Due since", width=150),
            tables.text("state", "State", width=420),
        ],
        name="People who are due",
    )
    if more:
        cards.note(f"And {more:,} more, whose time was over later.")


def _people(rows: Sequence[PersonDue] | Sequence[RunWaits], *more: tables.Column, name: str) -> None:
    with st.container(height=LONG if len(rows) > MANY else "content", border=False):
        tables.small(
            rows,
            [
                tables.text("external_id", "External id", width=110),
                tables.text("name", "Name", width=110),
                *more,
            ],
            name=name,
        )


def _lost() -> None:
    cards.note(
        "Lost for good is what they wrote and what names them, where there is any: "
        f"{', '.join(personal_data.kinds())}. Names in documents stay for as long as the policy says."
    )


def _left_out(plan: RunPlan) -> None:
    st.markdown(f"**Left out {len(plan.kept):,}, because of what is in the way**")
    _people(plan.kept, tables.text("state", "Why", width=170), name="People who are left out")


def _waiting(rows: Sequence[RunWaits]) -> None:
    with request_context.reading() as session:
        left = due_people.planned(session, now=request_context.now())
    for run in dict.fromkeys((each.maker_id, each.month) for each in rows):
        _run([each for each in rows if (each.maker_id, each.month) == run], left)


def _told(rows: Sequence[RunWaits], left: RunPlan) -> None:
    """What the second person reads: who is in the run and what is lost of them, as the first one did."""
    first = rows[0]
    st.markdown(
        f"**{plain(first.maker)} proposes to erase {len(rows):,}: retention run of {first.month:%B %Y}**"
    )
    cards.note(deadlines.exact(first.proposed_at))
    st.html(f'<p class="ed-quote">{html(first.reason)}</p>')
    _people(rows, name="People of this run")
    _lost()
    if left.kept:
        _left_out(left)


def _refused(check: Callable[..., object], *what_was_given: str) -> bool:
    """What is given for all of them is refused once, in one sentence."""
    try:
        check(*what_was_given)
    except DeskError as refusal:
        errors.show(refusal)
        return True
    return False


def _run(rows: Sequence[RunWaits], left: RunPlan) -> None:
    first, key = rows[0], f"retention-{rows[0].maker_id}-{rows[0].month:%Y%m}"
    own = first.maker_id == request_context.actor().id
    with cards.panel(key):
        _told(rows, left)
        may = not own and second_person.may_confirm(
            Permission.CONFIRM_ERASURE, lambda session: erasures.waiting_of(session, first.id)
        )
        if may:
            st.warning(f"{LOST} Broken off, it goes on where it stopped.", icon=":material/delete_forever:")
        if not may and not request_context.may(Permission.PROPOSE_ERASURE):
            return
        month = f"{first.month:%Y-%m}"
        these = "this person" if len(rows) == 1 else f"these {len(rows):,} people"
        typed = confirm.typed(month, f"erase {these}", key=f"type-{key}") if may else ""
        place = text_fields.named("person", 0, key)
        reason = reasons.line(place, key=f"{key}-reason")
        named = [(each.id, each.external_id) for each in rows]
        with st.container(horizontal=True):
            yes = (
                confirm.pressed("Carry out", key=f"{key}-yes", money=True, icon=":material/person_remove:")
                if may
                else None
            )
            no = confirm.pressed("Withdraw" if own else "Reject", key=f"{key}-no", type="secondary")
    if (yes and _refused(check_typed, typed, month)) or (no and _refused(given, reason)):
        return
    if yes:
        people = dict(named)

        def erase(session: Session, actor: Actor, now: datetime, number: int) -> None:
            erasures.approve(session, actor, now=now, erasure_id=number, typed=people[number], reason=reason)

        bulk.carry_out(
            yes,
            named,
            erase,
            done="Erased.",
            key=KEY,
        )
        for number, _ in named:  # where that fails, the worker does it within a minute
            erased_files.destroy(request_context.desk(), number)
        st.rerun()
    elif no:
        bulk.carry_out(
            no,
            named,
            lambda session, actor, now, number: erasures.reject(
                session, actor, now=now, erasure_id=number, reason=reason
            ),
            done="Nothing was erased.",
            key=KEY,
        )
        st.rerun()


@st.dialog("Propose the retention run", position="right", on_dismiss=confirm.close_drawer)
def _propose() -> None:
    cards.note(WHAT)
    with request_context.reading() as session:
        plan = due_people.planned(session, now=request_context.now())
    st.markdown(f"**Proposed {len(plan.chosen):,}**")
    if plan.chosen:
        _people(plan.chosen, tables.when("due_at", "Due since", width=170), name="People who are proposed")
        _lost()
    if plan.kept:
        _left_out(plan)
    if plan.later:
        cards.note(
            f"And {plan.later:,} more: one run proposes at most {len(plan.chosen):,}, the longest due first."
        )
    place = text_fields.named("person", 0, "retention")
    reason = reasons.area(
        place, "Why", key="retention-reason", placeholder="The month's run, or what it is for"
    )
    intent = confirm.pressed("Submit for approval", key="propose-retention", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: _submitted(session, actor, now, reason),
            done=lambda said: said,
            sent=[place],
        )


def _submitted(session: Session, actor: Actor, now: datetime, reason: str) -> str:
    proposed = retention.propose(session, actor, now=now, reason=reason)
    left = sum(each.erasure_id is None for each in due_people.due(session, now=now))
    return (
        f"Proposed: {len(proposed):,}, left out: {left:,}. They are erased when someone else carries it out."
    )
