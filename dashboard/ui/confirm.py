"""From a press of a button to one transaction, whatever the mouse, the network or a second click does.

Streamlit runs a script again for every click, and lets go of the run at work at the next element that it draws. So a
press is kept as an *intent*: a key made when the button is drawn, the same for both clicks of a double click. The
second run finds the outcome of the first, which is noted in a plain object, because even touching the session state may
end a run. The action stores the intent under a unique key, so the database would refuse the second in any case. Where
the button is drawn again between the two clicks, the second one does not leave the browser (`live/press.js`). What
is pressed next takes nothing from a press (docs/decisions/0030).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Literal, TypeVar

import streamlit as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException

from core.actions.cases import unsent_text
from core.actions.cases.unsent_text import ShownOtherwise, UsedInAnotherTab
from core.actions.staff import sessions
from core.db import Database
from core.errors import DeskError
from core.rules.permissions import Actor
from dashboard import request_context
from dashboard.ui import cards, errors, header, kept_choices, text_fields
from dashboard.ui.header import Notice
from dashboard.ui.safe import html, says_itself, words_of

Result = TypeVar("Result")
Action = Callable[[Session, Actor, datetime], Result]
OUTCOMES = "desk:outcomes"
DRAWER = "desk:drawer"
DRAWN = "desk:drawn"  # drawers of this run
AGAIN = "desk:again"
LOOK = "See how it is now"
LOST = (
    "Nothing was done: what you pressed is not on the page any more, because it has changed in the meantime."
)
log = logging.getLogger("escrow_desk.dashboard")


class RefusedByDatabase(DeskError):
    """The database refused this, because it would break one of its rules. Nothing was changed. Load the page again,
    and if that does not help, tell an administrator: the log has the details.

    The action should have said why; the law that it forgot holds all the same.
    """


@dataclass
class Outcomes:
    """What came of the intents of one visitor. A refused intent has no outcome, and may be tried again."""

    known: dict[str, Any] = field(default_factory=dict)
    busy: Lock = field(default_factory=Lock)

    def of(self, intent: str, attempt: Callable[[], Result]) -> Result:
        """The outcome of this intent; attempted if there is none. Nothing of Streamlit may be called in here."""
        with self.busy:
            if intent not in self.known:
                self.known[intent] = attempt()
            outcome: Result = self.known[intent]
            return outcome


def pressed(
    label: str,
    *,
    key: str,
    money: bool = False,
    type: Literal["primary", "secondary", "tertiary"] = "primary",
    icon: str | None = None,
    disabled: bool = False,
    help: str | None = None,
    shortcut: str | None = None,
    width: Literal["content", "stretch"] = "content",
) -> str | None:
    """Draw a button; returns the intent's key in the run in which it counts as pressed, else None.

    With `money`, a person who signed in more than five minutes ago first confirms who they are, and presses then.
    """
    if st.session_state.pop(AGAIN, False):
        st.rerun()
    if money and not disabled and not step_up(key):
        st.session_state.pop(f"{key}:armed", None)
        return None
    intent = st.session_state.setdefault(f"{key}:intent", secrets.token_hex(12))
    st.button(
        label,
        key=key,
        type=type,
        icon=icon,
        disabled=disabled,
        help=help,
        shortcut=shortcut,
        width=width,
        on_click=_arm,
        args=(key, intent),
    )
    armed: str | None = st.session_state.pop(f"{key}:armed", None)
    return armed


def carry_out(
    intent: str,
    action: Action[Result],
    *,
    done: str | Notice | Callable[[Result], str | Notice],
    then: Callable[[Result], Any] | None = None,
    sent: Collection[str] = (),
    refused: Callable[[DeskError], Any] | None = None,
) -> None:
    """Run `action(session, actor, now)` in one transaction, once for this intent.

    `sent`: the places whose words the action uses up (`ui.text_fields`), with the choices beside them; they are empty
    afterwards. What another tab used or changed meanwhile is not used again unasked. `refused` says more about a
    refusal.

    The session row is read again inside the transaction, so a revoked session cannot write. A refusal of the domain is
    shown as its sentence, and the button may be pressed again. On success the drawer closes, `done` is shown on top
    of the page, and the page is drawn again (or `then(result)` decides where to go).
    """
    with kept_if_cut_short(intent):
        outcomes: Outcomes = st.session_state.setdefault(OUTCOMES, Outcomes())
        token, desk, now = request_context.token(), request_context.desk(), request_context.now()
        places = [*sent, *kept_choices.of(sent)]
        shown, tab = text_fields.on_screen(places), text_fields.tab()

        def once(session: Session) -> Result:
            signed_in = sessions.resolve(session, token, now=now)
            if signed_in is None:
                raise sessions.SessionEnded()
            try:
                unsent_text.require_as_shown(session, signed_in.actor, shown, tab=tab)
            except ShownOtherwise:
                action(
                    session, signed_in.actor, now
                )  # undone with this one: what can no longer be done says so
                raise
            result = action(session, signed_in.actor, now)
            if places:
                unsent_text.sent(session, signed_in.actor, now=now, wanted=places)
            return result

        try:
            result = outcomes.of(intent, lambda: _run(desk.database, once))
        except DeskError as error:
            errors.show(error)
            if refused:
                refused(error)
            if isinstance(error, ShownOtherwise):
                _ask(intent, places, used=isinstance(error, UsedInAnotherTab))
            elif DRAWER in st.session_state and not error.of_what_was_given:
                st.button(
                    LOOK, key="look-again", icon=":material/refresh:", type="tertiary", on_click=_look_again
                )
            return
        for place in sent:
            text_fields.forget(place)
        kept_choices.used(sent)
        header.say(done(result) if callable(done) else done)
        close_drawer()
        forget(intent)
    then(result) if then else st.rerun()


def typed(wanted: str, what: str, *, key: str) -> str:
    """What is typed before something that cannot be undone (`core.rules.irreversible`)."""
    named = wanted if says_itself(wanted) else "what stands above"
    if named != wanted:
        st.text(words_of(wanted))
    return st.text_input(
        f"This cannot be undone. Type {named} to {what}",
        key=key,
        max_chars=100,
        width=320,
        autocomplete="off",
    )


@contextmanager
def kept_if_cut_short(intent: str | None) -> Iterator[None]:
    """For what is drawn between `pressed` and `carry_out`, which has it itself: what is pressed next may end the run at
    any line, and this press is then there for the next run, which finds the outcome if there is one and says it."""
    buttons = _buttons(intent) if intent else []
    try:
        yield
    except RerunException:
        for key in buttons:
            _arm(key, str(intent))
        raise


def _run(database: Database, once: Callable[[Session], Result]) -> Result:
    try:
        return database.run(once)
    except IntegrityError as error:
        log.error("the database refused a press", exc_info=error)
        raise RefusedByDatabase() from error


def step_up(key: str = "step-up") -> bool:
    """True when the person proved who they are within five minutes; else asks for it, here and now."""
    if request_context.recently_confirmed():
        return True
    with st.container(border=True, gap="small"):
        st.markdown("**Confirm your identity**", width="content")
        st.caption("This step needs a sign-in from the last five minutes; yours is older.")
        if request_context.demo_sign_in():
            st.button(
                f"I am {request_context.plain_name()}",
                key=f"{key}:step-up",
                icon=":material/verified_user:",
                on_click=request_context.confirm_it_is_me,
            )
        else:
            again = f"/sign-in/again?next={html(request_context.here())}"
            st.html(f'<a class="ed-button ed-primary" target="_self" href="{again}">Sign in again</a>')
    return False


def open_drawer(name: str, **facts: Any) -> None:
    """Ask for a drawer in the next run. For `on_click`: a drawer opened by `if st.button` cannot be used."""
    st.session_state[DRAWER] = (name, facts)


def drawer(name: str) -> dict[str, Any] | None:
    """The facts of this drawer while it is open, else None. Pass `close_drawer` as the dialog's `on_dismiss`."""
    asked, facts = st.session_state.get(DRAWER, (None, {}))
    if asked != name:
        return None
    st.session_state.setdefault(DRAWN, set()).add(name)
    return dict(facts)


def close_drawer() -> None:
    st.session_state.pop(DRAWER, None)


def changed_meanwhile(sentence: str) -> None:
    """In a drawer whose matter somebody else settled while it was open: what is so now, and the way on."""
    cards.note(sentence)
    if st.button(LOOK, key="changed-meanwhile", icon=":material/refresh:"):
        close_drawer()
        st.rerun()


def forget_unused() -> None:
    """After a whole page: what was pressed or opened and is not on it any more is not done later, on its own, to
    whatever bears the same name then. A lost press is said."""
    header.forget_said()
    drawn: set[str] = st.session_state.pop(DRAWN, set())
    st.session_state.pop(AGAIN, None)
    if st.session_state.get(DRAWER, ("",))[0] not in drawn:
        close_drawer()
    left = {str(name): st.session_state[name] for name in st.session_state if str(name).endswith(":armed")}
    for name in left:
        del st.session_state[name]
    outcomes: Outcomes = st.session_state.setdefault(OUTCOMES, Outcomes())
    if not outcomes.known.keys() >= set(left.values()):
        header.warn(LOST)


def _look_again() -> None:
    close_drawer()
    st.session_state[AGAIN] = True


def _arm(key: str, intent: str) -> None:
    st.session_state[f"{key}:armed"] = intent


def _ask(intent: str, places: Collection[str], *, used: bool) -> None:
    """What is shown here is not what is kept: the person says which of them is meant."""
    with st.container(horizontal=True, gap="small"):
        there = "Empty this field" if used else "Take over"
        st.button(there, key=f"{intent}:there", on_click=_take_over, args=(places,))
        st.button("Continue anyway", key=f"{intent}:anyway", on_click=_insist, args=(intent, places))


def _take_over(places: Collection[str]) -> None:
    for place in places:
        text_fields.forget(place)


def _insist(intent: str, places: Collection[str]) -> None:
    for place in places:
        text_fields.settle(place)
    for key in _buttons(intent):
        _arm(key, intent)


def _buttons(intent: str) -> list[str]:
    """The keys of the buttons that were drawn for this intent."""
    kept = st.session_state.to_dict()  # which is not a point where a run may end
    named = [str(name) for name, value in kept.items() if value == intent]
    return [name.removesuffix(":intent") for name in named if name.endswith(":intent")]


def forget(intent: str) -> None:
    """The next press is a new intent; a late second click still finds the old one used."""
    for key in _buttons(intent):
        del st.session_state[f"{key}:intent"]
