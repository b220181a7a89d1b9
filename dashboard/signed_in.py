"""The foot of the sidebar: who is signed in, as what, on which kind of desk, and the way out."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.actions.staff.sessions import SignedIn
from core.rules.permissions import Role
from dashboard import request_context
from dashboard.ui import components
from dashboard.ui.safe import html

ICON = "/app/static/icon.svg"  # addresses, not files: those would be read and hashed in every run
WARN_BEFORE = timedelta(minutes=2)


def show(signed_in: SignedIn) -> None:
    """Logo on top, the person below."""
    st.logo(f"/app/static/logo-{_theme()}.svg", icon_image=ICON, size="medium")
    roles = ", ".join(role.value for role in Role if role in signed_in.roles).capitalize() or "No role"
    with st.sidebar:
        st.html(
            f'<div class="ed-account"><span class="ed-face">{html(_initials(signed_in.name))}</span>'
            f'<b title="{html(signed_in.title)}">{html(signed_in.name)}</b>'
            f'<span class="ed-title" title="{html(signed_in.title)}">{html(roles)}</span></div>'
            f'<form class="ed-leave" method="post" action="/sign-out">{_mark()}'
            '<button class="ed-button" type="submit">Sign out</button></form>'
        )


@st.fragment(run_every=timedelta(seconds=45))
def watch() -> None:
    """A page left alone closes itself when the session ends, and says so two minutes before."""
    signed_in = request_context.person()
    left = signed_in.ends_at() - request_context.now()
    if left <= WARN_BEFORE:
        st.toast(
            "You will be signed out in two minutes. Do anything on the page to stay.",
            icon=":material/lock_clock:",
        )


def listen() -> None:
    """Back and Forward go from view to view (`live/history.js`), and a double click is one press (`live/press.js`)."""
    with st.sidebar, st.container(key="desk-listening"):
        components.mount("history", key="history", data={}, triggers=())
        components.mount("press", key="press", data={}, triggers=())


def _mark() -> str:
    """What kind of desk this is, always in sight: nobody may take a demo for the real one, or the reverse."""
    settings = request_context.desk().settings
    name, tone, meaning = (
        (
            "Demo · sandbox",
            "wait",
            "Made-up people, and a sandbox in place of Stripe. No real money can move.",
        )
        if settings.demo
        else ("Live", "good", "Real money moves.")
        if settings.live_key
        else ("Stripe test mode", "wait", "Stripe's test mode: no real money moves.")
    )
    return f'<span class="ed-pill ed-{tone}" title="{html(meaning)}">{html(name)}</span>'


def _initials(name: str) -> str:
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"
