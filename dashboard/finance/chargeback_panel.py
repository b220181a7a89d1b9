"""One chargeback on screen: what it is, what was booked for it, and the answer that two people give the bank."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import streamlit as st

from core.policy.limits import CHARGEBACK_ALARMS
from core.queries import chargebacks
from core.queries.chargeback_case import ChargebackCase
from core.queries.chargebacks import (
    Acceptance,
    Answer,
    ChargebackPosting,
    ChargebackRow,
    Liability,
    Remark,
)
from core.rules.chargebacks import ANSWERABLE, unanswered
from core.rules.proposals import ProposalStatus
from dashboard import navigation
from dashboard.finance import chargeback_acceptance, chargeback_answer, chargeback_outcomes
from dashboard.ui import cards, deadlines, header, tables

ENTRIES = [
    tables.opens("reference", "Journal", page="journal", width=90),
    tables.text("memo", "Type", width=240),
    tables.money("amount", "Amount", width=130),
    tables.money("fee", "Fee", width=100),
    tables.mono("line", "Balance transaction", width=240),
    tables.when("at", "Booked", width=150),
]


def whole(
    row: ChargebackRow,
    borne: Liability | None,
    booked: Sequence[ChargebackPosting],
    answers: Sequence[Answer],
    case: ChargebackCase,
    given_up: Sequence[Acceptance],
    remarks: Sequence[Remark],
) -> None:
    """Facts, the answer or the acceptance, and the books."""
    cards.facts(
        {
            "Disputed amount": row.amount,
            "Withdrawn by the bank": row.taken,
            "Lost to the bank": row.lost,
            "Chargeback fees, absorbed by the platform": row.fees,
            "Reason": row.why,
            "Card network": f"{row.network or 'card'}, reason {row.network_code}".capitalize()
            if row.network_code
            else None,
            "Evidence due": deadlines.exact(row.answer_by),
            "Opened": row.opened_at,
            "Closed": row.closed_at,
            "Payer": row.payer,
            "Payee": row.payee,
            "Milestone": row.milestone,
            "At Stripe": row.dispute,
        }
    )
    with st.container(horizontal=True, gap="medium"):
        navigation.link(
            "project", f"Project P-{row.project_id}", icon=":material/home_work:", id=row.project_id
        )
    if borne is not None:
        _who_bore_it(row, borne)
    chargeback_outcomes.why(row, given_up, remarks)
    header.section(
        "Answer to the bank", "One person drafts it, another sends it. Banks usually take one answer."
    )
    accepted = any(each.status == ProposalStatus.ACCEPTED for each in given_up)
    chargeback_answer.panel(row, answers, case, open_=row.status in ANSWERABLE and not accepted)
    chargeback_acceptance.panel(row, given_up)
    header.section("Booked")
    tables.table(
        booked,
        ENTRIES,
        key="chargeback-entries",
        download=tables.Table(
            "chargeback-lines",
            lambda session: chargebacks.entries(session, row),
            filter={"chargeback": row.reference},
        ),
        name="Lines and journals",
        empty_state=("Nothing was booked", "An inquiry moves no money."),
    )
    for each in booked:
        if each.rate:
            cards.note(f"{each.reference} was converted by Stripe at {each.rate}.")


BEARERS = (
    ("held", "Held for the payee"),
    ("unearned_fee", "Platform fee, not yet earned"),
    ("refund_due", "Refund that was due to the payer anyway"),
    ("second_payment", "Second payment, due to the payer anyway"),
    ("receivable", "Charged to the payee"),
    ("earned_fee", "Platform fee, earned and given up"),
    ("loss", "Loss of the platform"),
)


def _who_bore_it(row: ChargebackRow, borne: Liability) -> None:
    """The parts of what the bank kept. What the payee was charged may have been settled since."""
    header.section("Who bore it", f"The bank kept {row.lost.text()}. As booked when the chargeback was lost.")
    parts = {label: getattr(borne, name) for name, label in BEARERS}
    shown = {label: part for label, part in parts.items() if not part.is_zero}
    cards.facts({**shown, BEARERS[-1][1]: borne.loss})
    if borne.since_owed.is_positive:
        cards.note(
            f"Since then {borne.since_owed.text()} less was lost on this milestone's chargebacks: refunds came back, "
            "and what they would have paid the payer has from the bank."
        )


def countdown(row: ChargebackRow, now: datetime) -> None:
    """How long the bank still waits, while it does; louder at each alarm."""
    if row.answer_by is None:
        return
    left = f"**The bank waits for an answer {deadlines.words(row.answer_by, now)}**"
    words = f"{left}: until {deadlines.exact(row.answer_by)}. {unanswered(row.status)}"
    _, near, last = (timedelta(days=days) for days in CHARGEBACK_ALARMS)
    ahead = row.answer_by - now
    show = st.error if ahead <= last else st.warning if ahead <= near else st.info
    show(words, icon=":material/alarm:")
