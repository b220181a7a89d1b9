"""A call to Stripe that waits for a person, and how it is sent again."""

from __future__ import annotations

import streamlit as st

from core.actions import operations_review
from core.queries.operations import Operation
from core.rules.permissions import Permission
from dashboard import current
from dashboard.finance import another_way
from dashboard.ui import cards, confirm, words


def review(row: Operation) -> None:
    """Nothing unless the call is in review, or somebody has recorded another way of its refund."""
    if row.status != "REVIEW":
        another_way.panel(row)
        return
    with cards.panel("operation-review"):
        st.markdown("**Waits for a person.**")
        cards.note(
            "Its trace is looked for at Stripe before anything is sent, unless it is certain that nothing happened."
        )
        if not current.may(Permission.RETRY_OPERATION):
            cards.note("Finance or an administrator decides what happens next.")
        elif another_way.taken(row):
            cards.note(
                "It was recorded below as sent from our bank. Confirm or withdraw that before it goes again."
            )
        else:
            _form(row)
    another_way.panel(row)


def _form(row: Operation) -> None:
    if not confirm.step_up("retrying-form"):
        return
    place = words.named("operation", row.id, "retry")
    reason = words.line(place, "Reason, for the audit log", key="operation-reason")
    intent = confirm.pressed(
        "Send again",
        key="operation-retry",
        money=True,
        icon=":material/replay:",
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: operations_review.retry(
                session, actor, now=now, operation_id=row.id, reason=reason
            ),
            done="It is queued again. The page says when it is sent, or what stops it.",
            sent=[place],
        )
