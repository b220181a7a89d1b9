"""What waits for a second person, on screen: why the reader is not that person, and both answers with their reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.actions.staff import proposals
from core.actions.staff.proposals import Waiting
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons


@dataclass(frozen=True)
class Answer:
    """`act` is given session, actor, time and the reason; `done` is said afterwards."""

    label: str
    act: Callable[[Session, Any, Any, str], Any]
    done: str | Callable[[Any], str]
    icon: str | None = None


def may_confirm(permission: Permission, find: Callable[[Session], Waiting]) -> bool:
    """Whether the reader may be the second person; who else would be, and its maker, reads why not."""
    actor, now, may = request_context.actor(), request_context.now(), request_context.may(permission)
    with request_context.reading() as session:
        waiting = find(session)
        if not may and actor.id != waiting.maker_id:
            return False
        why = proposals.why_not(session, actor, waiting, now=now)
    if why is not None:
        cards.note(why)
    return why is None and may


def answers(place: str, key: str, *, own: bool, yes: Answer | None, no: Answer) -> None:
    """A line for the reason, and a button for each answer; whoever proposed it can only withdraw it."""
    reason = reasons.line(place, key=f"{key}-reason")
    with st.container(horizontal=True):
        agreed = confirm.pressed(yes.label, key=f"{key}-confirm", money=True, icon=yes.icon) if yes else None
        label = "Withdraw" if own else no.label
        with confirm.kept_if_cut_short(agreed):
            refused = confirm.pressed(label, key=f"{key}-reject", type="secondary")
    if agreed and yes:
        _carry_out(agreed, yes, place, reason)
    elif refused:
        _carry_out(refused, no, place, reason)


def _carry_out(intent: str, answer: Answer, place: str, reason: str) -> None:
    confirm.carry_out(
        intent,
        lambda session, actor, now: answer.act(session, actor, now, reason),
        done=answer.done,
        sent=[place],
    )
