"""What is shown instead of a page: no session, no permission, or a fault. Never a traceback."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

from core.errors import DeskError
from core.rules.permissions import TABLE, Permission, Role, holders
from dashboard.database_outage import AWAY, said
from dashboard.ui import errors, style
from dashboard.ui.safe import html

log = logging.getLogger("escrow_desk.dashboard")


def signed_out(*, revoked: bool) -> None:
    """The session has ended: by silence, by age, or because an administrator revoked it. Signing in leads back to this
    page."""
    from dashboard import request_context

    style.apply()
    sign_in = f"/sign-in?next={html(request_context.here())}"
    why = (
        "An administrator ended this session."
        if revoked
        else "Sessions end after 15 minutes of inactivity and after 8 hours in any case."
    )
    _page(
        "You are signed out",
        f"{why} Nothing that you confirmed is lost. What you typed is saved up to the time that stood under its "
        "field; words that were not saved yet come back when you sign in again here, as the same person.",
        f'<a class="ed-button ed-primary" target="_self" href="{sign_in}">Sign in</a>',
    )


def not_permitted(permission: Permission, roles: frozenset[Role]) -> None:
    """This page is for other roles, and which ones."""
    only = holders(TABLE[permission])
    _page(
        "This page is not for your role",
        f"Only {only} can open this page. You are signed in as {_listed(roles)}. Two administrators give roles: "
        "ask one of them.",
        '<a class="ed-button" target="_self" href="/">Back to your desk</a>',
    )


def _listed(roles: frozenset[Role]) -> str:
    return " or ".join(role.value for role in Role if role in roles) or "someone without a role"


def fault(error: Exception) -> bool:
    """The last resort of every page. A refusal shows its sentence; a fault shows a reference that is in the log."""
    if isinstance(error, DeskError):
        errors.show(error)
        return True
    if isinstance(error, AWAY):
        log.error("page failed: %s (%s)", said(error), type(error).__name__)
        st.error(f"**{said(error)}** Reload the page in a moment.", icon=":material/cloud_off:")
        return True
    reference = secrets.token_hex(4).upper()
    log.error("page failed, reference %s", reference, exc_info=error)
    st.error(
        "**This page could not be shown.** No action was left half done. If it happens again, give this reference to "
        f"your administrator: `{reference}`",
        icon=":material/error:",
    )
    return True


def _page(title: str, sentence: str, way_out: str) -> None:
    st.html(
        f'<div class="ed-refusal"><h1>{html(title)}</h1><p>{html(sentence)}</p><div>{way_out}</div></div>'
    )
