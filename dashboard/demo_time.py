"""The parts of the page on which a demo's time is moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from core.actions.demo import clock as moves
from core.clock import wall_time
from core.processes import timers
from core.processes.deadlines import DEADLINES
from core.queries import demo_clock
from core.queries.demo_clock import ClockState
from core.rules.references import PREFIXES
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, header, tables
from dashboard.ui.safe import plain

EVERY = 1.0
AHEAD, MOST = timedelta(days=14), 25
STEPS = {"1h": "1 hour", "24h": "24 hours", "72h": "72 hours", "7d": "7 days"}


@dataclass(frozen=True)
class Coming:
    """One deadline that stands."""

    id: str
    what: str
    about: str
    due_at: datetime


def state() -> ClockState:
    with request_context.reading() as session:
        return demo_clock.state(session, wall=wall_time(request_context.desk().clock))


def clock(found: ClockState) -> None:
    cards.facts(
        {
            "Demo time": deadlines.exact(found.now),
            "Ahead of this computer": deadlines.span(found.ahead) if found.ahead else "Not at all",
            "Last move": _last(found),
        },
        columns=3,
    )


def _last(found: ClockState) -> str:
    if found.until is None:
        return "Not moved yet"
    if found.moving:
        return "Under way"
    return f"To {deadlines.exact(found.until)}, in {found.stops} steps"


def trouble(found: ClockState) -> None:
    """Why the clock does not go on, or what does not work."""
    if found.trouble:
        st.warning(plain(found.trouble), icon=":material/warning:")


def buttons() -> None:
    """How far it is moved: four spans, or one's own."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for by, label in STEPS.items():
            _button(by, f"Advance {label}", key=f"advance-{by}")
        own = st.text_input("Other", placeholder="3d 12h", key="advance-other", width=140, max_chars=60)
        _button(own, "Advance", key="advance-own", disabled=not own.strip())


def _button(by: str, label: str, *, key: str, disabled: bool = False) -> None:
    if intent := confirm.pressed(
        label, key=key, type="secondary", icon=":material/more_time:", disabled=disabled
    ):
        confirm.carry_out(
            intent,
            lambda session, actor, now: moves.advance(session, actor, now=now, by=by),
            done=lambda row: f"The clock moves to {deadlines.exact(row.until)}.",
        )


@st.fragment(run_every=EVERY)
def under_way() -> None:
    """How far it has come; the page is drawn again when it is there. The worker goes on, whoever looks or not."""
    found = state()
    if not found.moving or found.until is None:
        st.rerun()
    st.progress(
        found.done, text=f"{deadlines.exact(found.now)}, on the way to {deadlines.exact(found.until)}"
    )
    trouble(found)


def coming(found: ClockState) -> None:
    """What falls due next, as things stand now."""
    with request_context.reading() as session:
        keys = timers.coming(session, after=found.now, until=found.now + AHEAD, limit=MOST)
    header.section("Due next", f"deadlines in the next {AHEAD.days} days, at most {MOST}")
    tables.table(
        [
            Coming(f"{kind}-{number}", DEADLINES[kind].what, _named(DEADLINES[kind].about, number), at)
            for at, kind, number in keys
        ],
        [
            tables.due("due_at", "Due", now=found.now),
            tables.text("what", "What happens"),
            tables.text("about", "About", width=180),
            tables.when("at", "At", value=lambda row: row.due_at, width=170),
        ],
        key="coming",
        download=None,  # it is about this demo, at this minute
        name="Due next",
        empty_state=("Nothing falls due", "Complete or dispute a milestone, and its deadlines stand here."),
    )


def _named(about: str, number: int) -> str:
    prefix = {str(kind): each for kind, each in PREFIXES.items()}.get(about)
    return f"{about.capitalize()} {prefix}-{number}" if prefix else f"{about.capitalize()} {number}"
