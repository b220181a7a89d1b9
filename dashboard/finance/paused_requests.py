"""Requests to Stripe that wait since the database was restored: said above pages of money, and how they go on."""

from __future__ import annotations

import streamlit as st

from core.actions.platform import restores
from core.queries import restores as queries
from core.queries.restores import Pause
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons, text_fields
from dashboard.ui.safe import plain


def alarm() -> None:
    """Nothing while nothing is paused."""
    with request_context.reading() as session:
        pause = queries.pause(session)
    if pause is not None:
        _say(pause)


def _say(pause: Pause) -> None:
    st.error(f"**Requests to Stripe are** {plain(pause.words)}.", icon=":material/pause_circle:")


def panel() -> None:
    """The same, and for whoever may, the way to resume them."""
    with request_context.reading() as session:
        pause = queries.pause(session)
    if pause is None:
        return
    _say(pause)
    with cards.panel("paused-requests"):
        st.markdown("**Resume requests to Stripe.**")
        cards.note(
            "Settle first what Stripe did since the backup: run a reconciliation and look at its breaks. Each request "
            "is looked for at Stripe before it is sent, so none is carried out twice."
        )
        if not request_context.may(Permission.RELEASE_REQUESTS):
            cards.note("Finance or an administrator can resume them.")
        elif confirm.step_up("paused-form"):
            _form()


def _form() -> None:
    place = text_fields.named("restore", 0, "release")
    reason = reasons.line(place, "What you have found, for the audit log", key="paused-reason")
    intent = confirm.pressed(
        "Resume requests", key="paused-release", money=True, icon=":material/play_arrow:"
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: restores.release(session, actor, now=now, reason=reason),
            done="Requests to Stripe go on.",
            sent=[place],
        )
