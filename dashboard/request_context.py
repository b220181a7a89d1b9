"""Where and as whom this run of a page takes place: the desk, the time, the person, what they may do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import NoReturn

import streamlit as st
from sqlalchemy.orm import Session
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.actions.staff import sessions
from core.actions.staff.sessions import SignedIn
from core.config import Settings
from core.desk import Desk
from core.policy import STEP_UP_WITHIN
from core.queries import masked
from core.rules import masking
from core.rules.masking import Sight
from core.rules.permissions import Actor, Permission, allowed
from dashboard import media, refusals
from dashboard.ui.safe import plain

PAGE_SHOWN = "desk:page-shown"
COOKIE = "escrow_desk_session"
FRESH_FOR = 2.0  # seconds; a whole run resolves once, fragments that run by themselves resolve again

_served: dict[str, Desk] = {}
_lock = Lock()


def desk() -> Desk:
    """The desk of this process, opened on first use."""
    with _lock:
        if "desk" not in _served:
            _served["desk"] = Desk.open(Settings(), part="dashboard")
        return _served["desk"]


def use(opened: Desk) -> None:
    """Serve this desk: said once by whoever starts the server, or by a test."""
    with _lock:
        _served["desk"] = opened


def now() -> datetime:
    return desk().clock()


@contextmanager
def reading(page: str | None = None) -> Iterator[Session]:
    """A session for queries; nothing done in it is kept. It reads what this person sees on this page, with masks."""
    with desk().database.reading() as session:
        masked.look(session, sight(page), now=now())
        yield session


def shows(page: str) -> None:
    """Which page this run draws, as the table of masks knows it (`rules.masking.SEES`)."""
    st.session_state[PAGE_SHOWN] = page


def shown() -> str:
    """The page of this run, as `shows` said; of one that nobody named, nothing."""
    page: str = st.session_state.get(PAGE_SHOWN, "")
    return page


def sight(page: str | None = None) -> Sight:
    """What this person sees here; on a page that nobody named, nothing of anybody."""
    who = actor()
    return Sight(masking.sees(who.roles, page or shown()), who.id, who.session_id)


def token() -> str | None:
    """The token that the browser holds, if any. It is never shown, logged or stored."""
    held = st.context.cookies.get(COOKIE)
    if isinstance(held, str) and held:  # where there is no browser (AppTest), Streamlit makes one up
        return held
    given: str | None = st.session_state.get("desk:token")
    return given


def arrive() -> SignedIn:
    """At the start of every whole run: a sign of life, and the person. Ends the run for whoever has no session."""
    return _resolve(touch=True) or _leave()


def person() -> SignedIn:
    """Who is signed in, at most two seconds old; in a fragment that runs by itself no sign of life."""
    known: tuple[float, SignedIn] | None = st.session_state.get("desk:person")
    if known and time.monotonic() - known[0] < FRESH_FOR:
        return known[1]
    found = _resolve(touch=False)
    if found is None:
        st.rerun()  # a whole run, which begins with `arrive` and ends there
    return found


def actor() -> Actor:
    return person().actor


def may(permission: Permission) -> bool:
    """For showing or hiding a button. The action asks again."""
    return allowed(actor(), permission)


def require(permission: Permission) -> Actor:
    """The guard of a page: whoever may not see it gets a page that says so."""
    who = actor()
    if not allowed(who, permission):
        refusals.not_permitted(permission, who.roles)
        st.stop()
    return who


def recently_confirmed() -> bool:
    """Signed in, or confirmed, within the five minutes that money movements ask for."""
    return now() - person().authenticated_at <= STEP_UP_WITHIN


def demo_sign_in() -> bool:
    """Whether people sign in by picking a name. The server decides it at start; see `demo.allowed`."""
    from dashboard import demo_sign_in as demo

    return demo.open_for(desk())


def confirm_it_is_me() -> None:
    """The demo's way of proving again who one is. Elsewhere the sign-in provider asks."""
    held = token()
    if held and demo_sign_in():
        at = now()
        desk().database.run(lambda session: sessions.reauthenticate(session, held, now=at))
        st.session_state.pop("desk:person", None)


def plain_name() -> str:
    return plain(person().name)


def here() -> str:
    """The path of this page with its parameters, for coming back to it. Streamlit's own `url` has none."""
    from urllib.parse import quote, urlencode, urlsplit

    asked = [(name, each) for name in st.query_params for each in st.query_params.get_all(name)]
    return quote(urlsplit(st.context.url or "/").path + (f"?{urlencode(asked)}" if asked else ""), safe="/")


def _resolve(*, touch: bool) -> SignedIn | None:
    at = now()
    found = desk().database.run(lambda session: sessions.resolve(session, token(), now=at, touch=touch))
    before = st.session_state.get("desk:person")
    if before and (found is None or before[1].session_id != found.session_id):
        held = st.session_state.get("desk:token")
        st.session_state.clear()
        if held:
            st.session_state["desk:token"] = held
    if found:
        if context := get_script_run_ctx():
            media.belongs(context.session_id, found.session_id)
        st.session_state["desk:person"] = (time.monotonic(), found)
    return found


def _leave() -> NoReturn:
    with desk().database.reading() as session:
        revoked = sessions.revoked_by_another(session, token())
    refusals.signed_out(revoked=revoked)
    st.stop()
