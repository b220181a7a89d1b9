"""The milestones of a project with their fees, their money and their states."""

from __future__ import annotations

import streamlit as st

from core.queries.projects import Whole
from dashboard import navigation
from dashboard.ui import cards, tables


def show(whole: Whole) -> None:
    """As plain rows: a project has few milestones, and they are read in order."""
    tables.small(
        whole.parts,
        [
            tables.count("position", "#"),
            tables.text("title", "Milestone"),
            tables.status("status", "Work", axis="milestone"),
            tables.status("payment", "Payment", axis="payment"),
            tables.money("amount", "Amount"),
            tables.money("platform_fee", "Platform fee"),
            tables.money("processing_fee", "Processor fee"),
            tables.money("charge", "Payer pays"),
            tables.money("held", "Held"),
            tables.money("released", "Released"),
            tables.money("refunded", "Refunded"),
            tables.when("ended_at", "Settled"),
        ],
        name="Milestones",
    )
    cards.note(
        "Fees are on top of the amount and paid by the payer (milestone-payment-flow, Key Business Rules 4)."
    )
    with st.container(horizontal=True, gap="medium"):
        for part in whole.parts:
            if part.case_id and part.case_open:
                navigation.link(
                    "case", f"Open case D-{part.case_id}", icon=":material/balance:", id=part.case_id
                )
