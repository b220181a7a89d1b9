"""Who looks after a payout, on screen, and giving it to someone."""

from __future__ import annotations

import streamlit as st

from core.actions.payouts import payout_owners
from core.queries.payout_progress import PayoutLine
from core.rules.payout_progress import OVER
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import confirm
from dashboard.ui.safe import words_of

NOBODY = "Unassigned"


def able() -> dict[int, str]:
    with request_context.reading() as session:
        return payout_owners.able(session)


def panel(row: PayoutLine) -> None:
    """The owner in a choice, and a button; not where the payout is over or the reader may not."""
    if row.status in OVER or not request_context.may(Permission.ASSIGN_PAYOUT):
        return
    people = able()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Owner",
            [None, *people],
            index=[None, *people].index(row.owner_id) if row.owner_id in people else 0,
            format_func=lambda each: words_of(people[each]) if each else NOBODY,
            key=f"payout-owner-{row.id}",
            width=260,
        )
        intent = confirm.pressed(
            "Assign", key="payout-assign", type="secondary", disabled=chosen == row.owner_id
        )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: payout_owners.assign(
                session, actor, now=now, payout_id=row.id, owner_id=chosen
            ),
            done=f"{row.reference} is with {people[chosen]}."
            if chosen
            else f"{row.reference} is unassigned.",
        )
