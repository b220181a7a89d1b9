"""Several payouts that need review, sent again by one press: each for itself, with its result."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.payouts import payout_review
from core.queries.payout_progress import PayoutLine
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import bulk, cards, confirm, reasons, text_fields
from dashboard.ui.safe import words_of

KEY = "bulk-retry"


def panel(rows: Sequence[PayoutLine]) -> None:
    """Of the rows that the table shows, those that need review."""
    bulk.results(KEY)
    review = {row.id: row for row in rows if row.in_review}
    if len(review) < 2 or not request_context.may(Permission.REVIEW_PAYOUT):
        return
    with st.expander(f"Try several again ({len(review)} listed here need review)", icon=":material/replay:"):
        if not confirm.step_up("bulk-retry-form"):
            return
        chosen = st.multiselect(
            "Payouts",
            list(review),
            format_func=lambda number: _named(review[number]),
            placeholder="Choose the payouts to send again",
            key="bulk-retry-chosen",
        )
        for number in chosen:
            if repeats := review[number].repeats:
                cards.note(
                    f"{review[number].reference}: the same account will fail again. {repeats.why} {repeats.remedy} "
                    "It is not sent from here."
                )
        place = text_fields.named("payout", 0, "bulk")
        reason = reasons.line(place, key="bulk-retry-reason")
        intent = confirm.pressed(
            "Try again", key=KEY, money=True, icon=":material/replay:", disabled=not chosen
        )
    if intent:
        bulk.carry_out(
            intent,
            [(number, _named(review[number])) for number in chosen],
            lambda session, actor, now, number: payout_review.retry(
                session, actor, now=now, payout_id=number, reason=reason
            ),
            done="Queued again. Holds and cases are checked before it is sent.",
            key=KEY,
        )
        st.rerun()


def _named(row: PayoutLine) -> str:
    return words_of(f"{row.reference} · {row.payee} · {row.sent.text()}")
