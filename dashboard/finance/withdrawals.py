"""Payouts on screen: the list, one of them whole, and its administrative review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.actions.payouts import payout_review
from core.policy import OFFERED, WithdrawalMethod
from core.queries import operations, stopped_money
from core.queries.operations import Operation
from core.queries.payee_accounts import PayeeAccountView
from core.queries.payout_progress import PayoutLine
from core.queries.payouts import MethodOffer
from core.queries.stopped_money import StoppedMoney
from core.rules.operations import OperationStatus
from core.rules.payout_progress import OVER
from core.rules.payouts import PayoutOfferStatus
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import method_offers, payee_accounts, payout_owners
from dashboard.ui import cards, confirm, deadlines, header, reasons, status, tables, text_fields
from dashboard.ui.safe import plain

METHODS = {
    each.value: status.in_words(each.value)
    + ("" if each in OFFERED else f", sent as {status.in_words(each.sent_as).lower()}")
    for each in WithdrawalMethod
}
ANYWAY = "Send it to the same account all the same"
WHOLE = [
    tables.opens("reference", "Payout", page="payouts", width=66),
    tables.text("payee", "Payee", width=140),
    tables.money("sent", "Sent after the fee", width=132),
    tables.status("status", "Status", axis="payout", width=118),
    tables.text("why", "Why it is not moving", width=260),
    tables.text("owner", "Owner", value=lambda row: row.owner or "", width=110),
    tables.text("next", "Next", width=190),
    tables.when("next_at", "Next due", width=140),
    tables.text("milestone", "Milestone", width=160),
    tables.money("fee", "Withdrawal fee", width=112),
    tables.money("amount", "Before the fee", width=112),
    tables.text("method", "Method", value=lambda row: METHODS.get(row.method, row.method), width=84),
    tables.when("requested_at", "Requested", width=140),
]
WAITING = [
    tables.money("amount", "Stopped", width=106),
    tables.text("why", "Because", width=370),
    tables.text("owner", "Owner", value=lambda row: row.owner or payout_owners.NOBODY, width=104),
    tables.text("next", "Next", width=210),
    tables.when("next_at", "Next due", width=142),
    tables.text("project", "Project", width=120),
    tables.text("milestone", "Milestone", width=120),
    tables.when("since", "Since", width=132),
    tables.text("payee", "Payee", width=130),
]
CALLS = [
    tables.opens("short_key", "Operation", page="operations", width=220),
    tables.status("shown", "Status", axis="operation", width=120),
    tables.money("amount", "Amount", width=120),
    tables.count("attempt", "Attempt", width=80),
    tables.count("tries", "Tries", width=70),
    tables.mono("provider_id", "At Stripe", width=230),
    tables.text("last_error", "Reason"),
]


def columns(now: datetime) -> list[tables.Column]:
    """With the age of what is not over."""
    age = tables.text(
        "age",
        "Age",
        value=lambda row: "" if row.status in OVER else deadlines.span(now - row.requested_at),
        width=80,
    )
    return [*WHOLE[:4], age, *WHOLE[4:]]


def waiting(rows: Sequence[StoppedMoney], cursor: tables.Cursor) -> None:
    """Money that something stops; a row opens the case, or the project."""
    now = request_context.now()
    age = tables.text("age", "Age", value=lambda row: deadlines.span(now - row.since), width=70)
    chosen = tables.table(
        rows,
        [WAITING[0], age, *WAITING[1:]],
        key="waiting",
        select=True,
        whole=True,
        cursor=cursor,
        download=tables.Table(
            "payouts-waiting",
            lambda session: tables.every(
                lambda before, limit: stopped_money.stopped(session, before=before, limit=limit)
            ),
            columns=WAITING,
        ),
        empty_state=(
            "Nothing is stopped",
            "Money that a case, a hold, a review, a chargeback or Stripe stops appears here.",
        ),
        name="Stopped money",
    )
    if chosen is not None:
        st.session_state.pop("waiting:chosen", None)
        row = next(each for each in rows if each.id == chosen)
        navigation.go("case", id=row.case_id) if row.case_id else navigation.go("project", id=row.project_id)


def whole(
    row: PayoutLine,
    calls: Sequence[Operation],
    offers: Sequence[MethodOffer],
    account: PayeeAccountView | None,
) -> None:
    """One payout: what it is, what was asked of Stripe for it, and the review when it failed."""
    _standing(row)
    if row.in_review:
        _review(row, calls, offers)
    elif offers:
        method_offers.history(offers)
    cards.facts(
        {
            "Payee": row.payee,
            "Before the fee": row.amount,
            "Withdrawal fee": row.fee,
            **_waived(row),
            "Sent after the fee": row.sent,
            "Method": METHODS.get(row.method, row.method),
            "Requested": row.requested_at,
            "Expected by Stripe": row.arrival_at and deadlines.day(row.arrival_at),
            "Paid": row.paid_at,
            "Milestone": row.milestone,
            "Project": row.project,
            "Transfer": row.stripe_transfer,
            "Payout": row.stripe_payout,
        }
    )
    with st.container(horizontal=True, gap="medium"):
        navigation.link(
            "project", f"Project P-{row.project_id}", icon=":material/home_work:", id=row.project_id
        )
        navigation.link("journals", "Journals", icon=":material/menu_book:", milestone=row.milestone_id)
        payable = f"payee_payable:{row.party_id}"
        navigation.link(
            "account",
            "Payee's account",
            icon=":material/account_balance:",
            code=payable,
            iso=row.amount.currency,
        )
    header.section("Operations")
    tables.table(
        calls,
        CALLS,
        key="payout-calls",
        download=tables.Table(
            "payout-calls",
            lambda session: operations.of_payout(session, row.id, row.milestone_id),
            filter={"payout": row.id},
        ),
        name="Operations",
    )
    payee_accounts.show(account)


def _standing(row: PayoutLine) -> None:
    """Why it is not moving, what happens next and when, and who looks after it."""
    if row.status in OVER:
        return
    now = request_context.now()
    cards.facts(
        {
            "Why it is not moving": row.why or "Nothing stops it",
            "Next": row.next,
            "Next is due": row.next_at,
            "Age": deadlines.span(now - row.requested_at),
            "Owner": row.owner or payout_owners.NOBODY,
        },
        columns=5,
    )
    payout_owners.panel(row)


def _waived(row: PayoutLine) -> dict[str, str]:
    if not row.fee_waived.is_positive:
        return {}
    return {"Fee waived": f"{row.fee_waived.text()}, by {row.fee_waived_by}"}


def _review(row: PayoutLine, calls: Sequence[Operation], offers: Sequence[MethodOffer]) -> None:
    """Try again, or offer another method (milestone-payment-flow, Error Handling 2)."""
    with cards.panel("payout-review"):
        code = f" Stripe’s code: {plain(row.failure_code)}." if row.failure_code else ""
        st.markdown(f"**Needs review.** {plain(row.failure or 'No reason was given.')}{code}")
        cards.note(_where(row, calls))
        if not request_context.may(Permission.REVIEW_PAYOUT):
            cards.note("Finance or an administrator decides what happens next.")
            return
        if not any(each.status == PayoutOfferStatus.OPEN for each in offers):
            _form(row)
    method_offers.panel(row, offers)


def _where(row: PayoutLine, calls: Sequence[Operation]) -> str:
    """Where its money is, as far as that is known."""
    if calls and calls[0].status == OperationStatus.REVIEW:
        return "Whether it was sent is not known: its trace is looked for at Stripe before anything is sent again."
    if row.transferred:
        return f"{row.sent.text()} is on the payee's account at Stripe; only the payout to the bank is sent again."
    return "The money never left; all of it is still payable to the payee."


def _form(row: PayoutLine) -> None:
    if not confirm.step_up("withdrawals-form"):
        return
    method = st.segmented_control(
        "Pay by",
        [each for each in METHODS if each in OFFERED or each == row.method],
        default=row.method,
        format_func=METHODS.__getitem__,
        required=True,
        key="payout-method",
    )
    changed = method != row.method
    waived = changed and _fee_of_another(row)
    anyway = _same_account(row)
    place = text_fields.named("payout", row.id, "retry")
    reason = reasons.line(place, key="payout-reason")
    label = f"Pay by {METHODS[method].lower()} instead" if changed and method else "Try again"
    intent = confirm.pressed(label, key="payout-retry", money=True, icon=":material/replay:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: payout_review.retry(
                session,
                actor,
                now=now,
                payout_id=row.id,
                reason=reason,
                method=WithdrawalMethod(method) if method else None,
                anyway=anyway,
                waive_fee=waived,
            ),
            done=f"Payout {row.reference} is queued again. Holds and cases are checked again before it is sent.",
            sent=[place],
        )


def _fee_of_another(row: PayoutLine) -> bool:
    """What the other method costs, and whether its fee is waived."""
    cards.note(
        "As much of the transfer as the new method costs more is reversed; the payee gets an e-mail."
        if row.transferred
        else "The withdrawal fee becomes that of the new method; the payee gets an e-mail."
    )
    if not request_context.may(Permission.WAIVE_FEE):
        return False
    return st.checkbox(
        "Waive the fee: the platform goes without it, under your name", key=f"payout-waive-{row.id}"
    )


def _same_account(row: PayoutLine) -> bool:
    """Before a useless retry: that the same account will fail again, and the word that it is sent all the same."""
    if row.repeats is None:
        return False
    st.warning(
        f"**The same account will fail again.** {plain(row.repeats.why)} {plain(row.repeats.remedy)}",
        icon=":material/block:",
    )
    return st.checkbox(ANYWAY, key=f"payout-anyway-{row.id}")
