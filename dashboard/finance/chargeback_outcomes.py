"""How chargebacks ended, on screen: why one was won or lost, what they cost, how many are won."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.actions.chargebacks import chargeback_remarks
from core.queries import chargeback_outcomes
from core.queries.chargebacks import Acceptance, ChargebackRow, Remark
from core.rules.chargebacks import why_it_ended
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from dashboard import request_context
from dashboard.ui import confirm, deadlines, header, reasons, tables, text_fields
from dashboard.ui.safe import plain, words_of
from dashboard.ui.status import in_words


def why(row: ChargebackRow, given_up: Sequence[Acceptance], remarks: Sequence[Remark]) -> None:
    """What is known of why it ended so, and what colleagues make of it."""
    known = why_it_ended(
        row.status,
        answered=row.submissions,
        accepted=any(each.status == ProposalStatus.ACCEPTED for each in given_up),
        past_due=row.past_due,
    )
    may = request_context.may(Permission.ANSWER_CHARGEBACK)
    if known is None and not remarks and not may:
        return
    if known:
        header.section(
            "Why it ended this way",
            "Banks give no reasons: this is what Stripe reports, and what we make of it.",
        )
    else:
        header.section("Remarks", "For colleagues. The bank does not see them.")
    if known:
        st.text(known)
    for each in remarks:
        st.markdown(f"**{plain(each.by)}**, {deadlines.exact(each.at)}")
        st.text(words_of(each.body))
    if not may:
        return
    with st.expander("Write a remark"):
        place = text_fields.named("chargeback", row.id, "remark")
        said = reasons.area(place, "What won or lost it, or what to do next time", key="remark")
        intent = confirm.pressed("Save remark", key=f"remark-{row.id}", type="secondary")
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, now: chargeback_remarks.add(
                    session, actor, now=now, chargeback_id=row.id, body=said
                ),
                done="The remark is saved.",
                sent=[place],
            )


def table(since: datetime, until: datetime) -> None:
    """Cost and win rate by marketplace and reason."""
    with request_context.reading() as session:
        found = chargeback_outcomes.outcomes(session, since=since, until=until)
    tables.table(
        found,
        [
            tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform.value), width=112),
            tables.text("title", "Reason", width=150),
            tables.money("cost", "Cost to us", width=96),
            tables.text("rate", "Win rate", width=74, help="Won of those that the bank decided."),
            tables.count("opened", "Opened", width=68),
            tables.count("undecided", "Open", width=54),
            tables.count("won", "Won", width=52),
            tables.count("lost", "Lost", width=52),
            tables.money("disputed", "Disputed", width=104),
            tables.money("returned", "Returned", width=104, help="What payers kept of it."),
            tables.money("fees", "Fees", width=84, help="Stripe's, for chargebacks."),
            tables.money("losses", "Our loss", width=90, help="Of what was returned, by the ledger."),
        ],
        key="chargeback-outcomes",
        download=tables.Table(
            "chargeback-outcomes",
            lambda session: chargeback_outcomes.outcomes(session, since=since, until=until),
            filter={"from": since, "to": until},
        ),
        name="Chargebacks by marketplace and reason",
        empty_state=("No chargebacks in this time", "Choose a longer period."),
    )
