"""A call to Stripe that waits for a person, and how it is sent again."""

from __future__ import annotations

import streamlit as st

from core.actions.operations import operation_retry
from core.queries.operations import Operation
from core.rules.operations import OperationStatus
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.finance import outside_refunds
from dashboard.ui import cards, confirm, reasons, text_fields


def review(row: Operation) -> None:
    """Nothing unless the call is in review, or somebody has recorded another way of its refund."""
    if row.status != OperationStatus.REVIEW:
        outside_refunds.panel(row)
        return
    with cards.panel("operation-review"):
        st.markdown("**Needs review.**")
        cards.note(
            "Its trace is looked for at Stripe before anything is sent, unless it is certain that nothing happened."
        )
        if not request_context.may(Permission.RETRY_OPERATION):
            cards.note("Finance or an administrator decides what happens next.")
        elif outside_refunds.taken(row):
            cards.note(
                "It was recorded below as sent from our bank. Confirm or withdraw that before it goes again."
            )
        else:
            _form(row)
    outside_refunds.panel(row)


def _form(row: Operation) -> None:
    if not confirm.step_up("retrying-form"):
        return
    place = text_fields.named("operation", row.id, "retry")
    reason = reasons.line(place, key="operation-reason")
    intent = confirm.pressed(
        "Send again",
        key="operation-retry",
        money=True,
        icon=":material/replay:",
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: operation_retry.retry(
                session, actor, now=now, operation_id=row.id, reason=reason
            ),
            done="It is queued again. The page says when it is sent, or what stops it.",
            sent=[place],
        )
