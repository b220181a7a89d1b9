"""What payees owe us, on screen: ageing, one debt down to its postings, and its write-off by two people."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.debts import write_offs
from core.errors import DeskError
from core.money import Money
from core.policy.limits import DEBT_REMINDED_EVERY
from core.queries import receivables
from core.queries.receivables import Debt, WriteOffRow, WrittenOff
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from dashboard import navigation, request_context
from dashboard.finance import repayment_plans, set_offs
from dashboard.ui import (
    cards,
    confirm,
    deadlines,
    errors,
    filters,
    header,
    reasons,
    second_person,
    tables,
    text_fields,
)
from dashboard.ui.cards import Kpi
from dashboard.ui.safe import plain
from dashboard.ui.second_person import Answer
from dashboard.ui.status import in_words

SHOWN = "receivables:shown"  # whose debt this visitor had open, by its id
AGES = ("0–30 days", "31–60 days", "61–90 days", "Over 90 days")
CAN_BE_SET_OFF = "Can be set off now"
COLUMNS = [
    tables.text("payee", "Payee", width=170),
    tables.money("owed", "Owed", width=110),
    tables.money("due", "Due now", width=110),
    tables.money("set_off", CAN_BE_SET_OFF, value=lambda row: row.set_off if _now(row) else None, width=150),
    *(
        tables.money(f"age_{number}", label, value=lambda row, n=number: row.ages[n], width=100)
        for number, label in enumerate(AGES)
    ),
    tables.when("since", "Oldest part", width=140),
    tables.count("reminders", "Reminders", width=86),
    tables.when("reminded_at", "Last reminder", width=140),
    tables.flag("proposed", "Write-off proposed", value=lambda row: row.write_off_id is not None, width=120),
]
WRITTEN_OFF = [
    tables.count("id", "Number", width=70),
    tables.text("payee", "Payee", width=170),
    tables.money("amount", "Written off", width=110),
    tables.money("recovered", "Recovered", width=110),
    tables.text("items", "Recovered by", width=110),
    tables.when("at", "On", width=140),
    tables.text("settler", "Approved by", width=130),
    tables.text("proposer", "Proposed by", width=130),
    tables.text("reason", "Reason", width=240),
]
PARTS = [
    tables.opens("reference", "Journal", page="journals", width=80),
    tables.money("open", "Still owed", width=110),
    tables.money("amount", "Booked", width=110),
    tables.when("posted_at", "Posted", width=140),
    tables.text("memo", "What for", width=240),
    tables.text("milestone", "Milestone", width=90),
]


def ageing(rows: Sequence[Debt]) -> str | None:
    """The table; returns the id of the chosen debt."""
    cards.kpis(
        [
            _card(total, ages[-1], _can_be_set_off(rows, total.currency))
            for total, ages in receivables.totals(rows)
        ]
    )
    only = bool(rows) and _only_now()
    now = request_context.now()
    chosen: str | None = tables.table(
        _narrowed(rows, only),
        COLUMNS,
        key="receivables",
        select=True,
        download=tables.Table(
            "receivables",
            lambda session: _narrowed(
                receivables.with_set_offs(session, receivables.debts(session, now=now)), only
            ),
            filter={"can_be_set_off_now": True} if only else {},
        ),
        empty_state=(
            (
                "No debt can be set off now",
                "Nothing is due of which the payee has money with us that nothing stops.",
            )
            if only
            else (
                "Nobody owes anything",
                "What a payee owes after a chargeback or for a fee appears here.",
            )
        ),
        name="What payees owe, by age",
    )
    return chosen


def _only_now() -> bool:
    with filters.bar():
        return filters.toggle(CAN_BE_SET_OFF, key="set-off")


def _now(row: Debt) -> bool:
    return row.set_off is not None and row.set_off.is_positive


def _narrowed(rows: Sequence[Debt], only: bool) -> list[Debt]:
    return [row for row in rows if _now(row) or not only]


def _card(total: Money, old: Money, now: Money) -> Kpi:
    note = f"{old.text()} over 90 days" + (f" · {now.text()} can be set off now" if now.is_positive else "")
    return Kpi("Owed by payees", total.text(), note=note, tone="bad" if old.is_positive else "quiet")


def _can_be_set_off(rows: Sequence[Debt], currency: str) -> Money:
    return Money.total(
        (row.set_off for row in rows if row.set_off is not None and row.owed.currency == currency), currency
    )


def debt(row: Debt) -> None:
    """One debt: its open postings, what was proposed about it, and the way to its account."""
    currency = row.owed.currency
    with request_context.reading() as session:
        parts = receivables.parts(session, row.party_id, currency)
        proposed = receivables.write_offs(session, row.party_id, currency)
        plans = receivables.plans(session, row.party_id, currency)
    st.session_state.setdefault(SHOWN, {})[row.id] = row.payee
    header.section(f"{row.payee}: {row.owed.text()}")
    cards.note(
        f"{_set_off(row)} {_reminded(row)} "
        + (f"Last on {deadlines.exact(row.reminded_at)}." if row.reminded_at else "None was sent yet.")
    )
    tables.table(
        parts,
        PARTS,
        key="receivable-parts",
        download=tables.Table(
            "receivable-parts",
            lambda session: receivables.parts(session, row.party_id, currency),
            filter={"payee": row.party_id, "currency": currency},
        ),
        name="Open postings of this debt",
    )
    navigation.link(
        "account",
        "All that was booked and settled",
        icon=":material/account_balance:",
        code=row.account,
        iso=currency,
    )
    set_offs.panel(row.party_id, currency)
    repayment_plans.section(row, plans)
    for each in proposed:
        if each.status == ProposalStatus.PROPOSED:
            _answer(row, each)
        else:
            cards.note(_ended(each))
    if row.write_off_id is None and request_context.may(Permission.WRITE_OFF_DEBT):
        _propose(row)


def settled_meanwhile(rows: Sequence[Debt]) -> None:
    """A debt that was open on this page, and of which nothing is owed any more."""
    shown: dict[str, str] = st.session_state.get(SHOWN, {})
    for number in shown.keys() - {row.id for row in rows}:
        cards.note(f"{shown.pop(number)} owes nothing of this debt any more: it was settled or written off.")


def without_debt(rows: Sequence[Debt], payee: int | None) -> None:
    """The address asks for the debts of a payee who has none, or who is not there."""
    if payee is not None and payee not in {row.party_id for row in rows}:
        cards.note(f"There is no open debt of payee #{payee}.")


def _set_off(row: Debt) -> str:
    if row.due == row.owed:
        return "It is set off against what is released to the payee."
    if row.due.is_zero:
        return "The payee repays it by instalments: nothing of it is due now, and nothing is set off."
    return f"The payee repays it by instalments: {row.due.text()} is due now, and set off against what is released."


def _reminded(row: Debt) -> str:
    if row.due.is_zero:
        return "The payee gets an e-mail when the next instalment falls due."
    return f"Every {DEBT_REMINDED_EVERY.days} days the payee gets an e-mail, until nothing of it is due."


def written_off(rows: Sequence[WrittenOff]) -> None:
    """What was given up, with what came of it after all; nothing where there is none."""
    if not rows:
        return
    header.section(
        "Written off",
        "What is paid after all is explained in suspense, by its number.",
    )
    tables.table(
        rows,
        WRITTEN_OFF,
        key="written-off",
        download=tables.Table("written-off", receivables.written_off),
        name="Debts that were written off",
    )


def _ended(each: WriteOffRow) -> str:
    said = f" {each.note}" if each.note else ""
    by = f" by {each.settler}" if each.settler else ""
    return (
        f"{each.amount.text()} proposed by {each.proposer} on {deadlines.exact(each.proposed_at)}: "
        f"{in_words(each.status).lower()}{by} on {deadlines.exact(each.settled_at)}.{said}"
    )


def _propose(row: Debt) -> None:
    with st.expander("Write it off", key=f"write-off-{row.id}"):
        cards.note(
            "Two people. The amount is booked as bad debt and no longer set off. Money that comes after all is "
            "explained in suspense as recovered, by the number of the write-off."
        )
        amount = _amount(row)
        place = text_fields.named("party", row.party_id, f"write-off-{row.owed.currency.lower()}")
        reason = reasons.line(place, "Why it cannot be collected", key=f"write-off-reason-{row.id}")
        intent = confirm.pressed("Submit for approval", key="write-off-propose", disabled=amount is None)
        if intent and amount:
            confirm.carry_out(
                intent,
                lambda session, actor, now: write_offs.propose(
                    session, actor, now=now, party_id=row.party_id, amount=amount, reason=reason
                ),
                done="Submitted. It is written off when someone else approves it.",
                sent=[place],
            )


def _amount(row: Debt) -> Money | None:
    """All of it, or a part."""
    currency = row.owed.currency
    typed = st.text_input(
        f"Amount to write off, in {currency}",
        value=row.owed.major(),
        key=f"write-off-amount-{row.id}",
        max_chars=30,
    )
    try:
        amount = Money.parse(typed or "", currency)
    except DeskError as refusal:
        errors.show(refusal)
        return None
    cards.note(f"{amount.text()} of {row.owed.text()} is written off.")
    return amount


def _answer(row: Debt, each: WriteOffRow) -> None:
    with cards.panel(f"write-off-{each.id}"):
        st.markdown(f"**{plain(each.proposer)} proposes to write off {plain(each.amount.text())}**")
        st.text(each.reason)
        own = each.proposed_by == request_context.actor().id
        yes = None
        if second_person.may_confirm(
            Permission.CONFIRM_WRITE_OFF, lambda session: write_offs.waiting_of(session, each.id)
        ):
            yes = Answer(
                "Approve and write off",
                lambda session, actor, now, reason: write_offs.approve(
                    session, actor, now=now, write_off_id=each.id, reason=reason
                ),
                done=f"{each.amount.text()} is written off.",
                icon=":material/money_off:",
            )
        if own or request_context.may(Permission.CONFIRM_WRITE_OFF):
            second_person.answers(
                text_fields.named("party", row.party_id, f"answer-{row.owed.currency.lower()}"),
                "write-off",
                own=own,
                yes=yes,
                no=Answer(
                    "Reject",
                    lambda session, actor, now, reason: write_offs.reject(
                        session, actor, now=now, write_off_id=each.id, reason=reason
                    ),
                    done="It stays owed.",
                ),
            )
