"""Payees' new bank accounts on screen: which wait, and what two people decide about one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from core.actions.parties import bank_decisions
from core.policy.limits import BANK_WAIT_AT_MOST
from core.queries import bank_changes
from core.queries.bank_changes import BankChangeRow, ProposalRow
from core.queries.bounded_list import Listed
from core.rules.payee_accounts import BankChangeState, BankDecision
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, second_person, tables, text_fields
from dashboard.ui.safe import plain
from dashboard.ui.second_person import Answer
from dashboard.ui.status import in_words

KEY = "bank-changes"  # of the table
COLUMNS = [
    tables.text("payee", "Payee", width=170),
    tables.status("state", "State", axis="bank change", width=110),
    tables.flag("asked", "Proposal waits", value=lambda row: row.proposal_id is not None, width=110),
    tables.text("currency", "Currency", width=80),
    tables.text("before", "Ended in", value=lambda row: row.before or "—", width=80),
    tables.text("after", "Ends in", width=80),
    tables.when("at", "Changed", width=140),
    tables.when("held_until", "Waits until", width=140),
    tables.when("ended_at", "Wait ended", width=140),
]
LABELS: Mapping[BankDecision, str] = {
    BankDecision.ACCEPT: "Accept",
    BankDecision.EXTEND: "Wait longer",
    BankDecision.REFUSE: "Refuse",
}
MEANS: Mapping[BankDecision, str] = {
    BankDecision.ACCEPT: "Payouts go to the new account at once.",
    BankDecision.EXTEND: "Payouts wait until the chosen day begins (UTC), and in any case until this is answered.",
    BankDecision.REFUSE: (
        "No payout goes to the new account: payouts wait until the payee gives another one, and from now on until this "
        "is answered."
    ),
}


def listed(rows: Listed[BankChangeRow]) -> int | None:
    """The table; returns the id of the chosen change."""
    chosen: int | None = tables.table(
        rows,
        COLUMNS,
        key=KEY,
        select=True,
        download=tables.Table("bank-changes", lambda session: bank_changes.changes(session, limit=None)),
        empty_state=(
            "No bank account was replaced",
            "When a payee gives another bank account, it appears here, and payouts wait.",
        ),
        name="Payees' new bank accounts",
    )
    if rows.note:
        st.caption(rows.note)
    return chosen


def change(row: BankChangeRow) -> None:
    """One new bank account: what was proposed about it, and what may be."""
    with request_context.reading() as session:
        proposed = bank_changes.proposals(session, row.id)
    header.section(f"{row.payee}: {row.currency} account ending in {row.after}")
    asked = next((each.decision for each in proposed if each.status == ProposalStatus.PROPOSED), None)
    cards.note(_state(row, asked))
    for each in proposed:
        if each.status == ProposalStatus.PROPOSED:
            _answer(row, each)
        else:
            cards.note(_ended(each))
    if open_to := _open_to(row):
        _propose(row, open_to)


def _state(row: BankChangeRow, asked: BankDecision | None) -> str:
    """`asked`: what is proposed and not answered. Payouts wait for the answer, unless the account is to be accepted."""
    before = (
        f"It took the place of the one ending in {row.before} on {deadlines.exact(row.at)}."
        if row.before
        else f"It is the first one in {row.currency} of a payee who had another, since {deadlines.exact(row.at)}."
    )
    stops = asked in (BankDecision.EXTEND, BankDecision.REFUSE)
    match row.state:
        case BankChangeState.REFUSED:
            return (
                f"{before} It was refused. Payouts wait until the payee gives another bank account, or two people "
                "accept this one after all."
            )
        case BankChangeState.REPLACED:
            return (
                f"{before} Another one has taken its place since, or it was refused before and is decided about there: "
                "nothing can be decided about it here."
            )
        case _ if stops:
            return f"{before} Payouts to it wait until the proposal is answered."
        case BankChangeState.WAITS:
            return f"{before} Payouts to it wait until {deadlines.exact(row.held_until)}."
        case BankChangeState.IN_USE:
            return f"{before} Its wait ended on {deadlines.exact(row.ended_at)}; payouts go there."
        case BankChangeState.UNUSABLE:
            return (
                f"{before} Its wait ended on {deadlines.exact(row.ended_at)}. It cannot be paid to: a payout came back "
                "from it. Payouts wait until the payee gives another one."
            )


def _open_to(row: BankChangeRow) -> list[BankDecision]:
    """What this reader may propose now."""
    if row.proposal_id is not None or not request_context.may(Permission.DECIDE_BANK_CHANGE):
        return []
    return {
        BankChangeState.WAITS: list(BankDecision),
        BankChangeState.REFUSED: [BankDecision.ACCEPT],
        BankChangeState.IN_USE: [BankDecision.REFUSE],
        BankChangeState.UNUSABLE: [BankDecision.REFUSE],
        BankChangeState.REPLACED: [],
    }[row.state]


def _ended(each: ProposalRow) -> str:
    by = f" by {each.settler}" if each.settler else ""
    said = f" {each.note}" if each.note else ""
    return (
        f"“{_what(each)}” proposed by {each.proposer} on {deadlines.exact(each.proposed_at)} ({each.reason}): "
        f"{in_words(each.status).lower()}{by} on {deadlines.exact(each.settled_at)}.{said}"
    )


def _what(each: ProposalRow) -> str:
    until = f" until {deadlines.exact(each.until)}" if each.until else ""
    return LABELS[each.decision] + until


def _propose(row: BankChangeRow, open_to: list[BankDecision]) -> None:
    key = f"bank-change-{row.id}"
    with cards.panel(key):
        wanted = st.segmented_control(
            "What is to happen",
            open_to,
            default=open_to[0],
            required=True,
            format_func=lambda each: LABELS[each],
            key=f"{key}-decision",
        )
        cards.note(f"Two people. {MEANS[wanted]} The payee gets an e-mail, also at an earlier address.")
        until = _until(row, key) if wanted is BankDecision.EXTEND else None
        place = text_fields.named("party", row.party_id, f"bank-change-{row.id}")
        reason = reasons.line(place, "What the payee said, or why", key=f"{key}-reason")
        if intent := confirm.pressed("Submit for approval", key=f"{key}-propose"):
            confirm.carry_out(
                intent,
                lambda session, actor, now: bank_decisions.propose(
                    session, actor, now=now, change_id=row.id, decision=wanted, until=until, reason=reason
                ),
                done="Submitted. It is done when someone else approves it.",
                sent=[place],
            )


def _until(row: BankChangeRow, key: str) -> datetime:
    now = request_context.now()
    first = max(row.held_until, now).date() + timedelta(days=1)
    last = max(first, (now + BANK_WAIT_AT_MOST).date())
    day = st.date_input(
        "Payouts wait until (UTC)",
        value=first,
        min_value=first,
        max_value=last,
        format="YYYY-MM-DD",
        key=f"{key}-until",
    )
    return datetime.combine(day if isinstance(day, date) else first, time(), UTC)


def _answer(row: BankChangeRow, each: ProposalRow) -> None:
    with cards.panel(f"bank-proposal-{each.id}"):
        st.markdown(f"**{plain(each.proposer)} proposes: {plain(_what(each))}**")
        st.text(each.reason)
        own = each.proposed_by == request_context.actor().id
        yes = None
        if second_person.may_confirm(
            Permission.CONFIRM_BANK_CHANGE, lambda session: bank_decisions.waiting_of(session, each.id)
        ):
            yes = Answer(
                f"Approve: {LABELS[each.decision].lower()}",
                lambda session, actor, now, reason: bank_decisions.approve(
                    session, actor, now=now, proposal_id=each.id, reason=reason
                ),
                done="Done. The payee gets an e-mail.",
                icon=":material/account_balance_wallet:",
            )
        if own or request_context.may(Permission.CONFIRM_BANK_CHANGE):
            second_person.answers(
                text_fields.named("party", row.party_id, f"answer-bank-change-{row.id}"),
                "bank-proposal",
                own=own,
                yes=yes,
                no=Answer(
                    "Reject",
                    lambda session, actor, now, reason: bank_decisions.reject(
                        session, actor, now=now, proposal_id=each.id, reason=reason
                    ),
                    done="It stays as it was.",
                ),
            )
