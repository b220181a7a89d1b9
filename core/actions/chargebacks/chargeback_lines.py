"""Stripe's balance transactions of a chargeback, each booked once: withdrawn, returned, or unidentified."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.chargebacks import duplicate_chargebacks, refund_offsets
from core.actions.funding import balance_transactions
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.reconciliation import suspense_items
from core.gateways.payments import BalanceLine
from core.ledger import accounts, postings
from core.ledger.journals import Journal
from core.money import Money
from core.records import Chargeback, DuplicatePayment
from core.rules.chargebacks import ChargebackStatus


def _taken(row: Chargeback, line: BalanceLine) -> Money:
    """What the line withdrew (below zero) or returned, in the currency that the chargeback is booked in."""
    if line.currency == row.booked_currency or line.exchange_rate is None:
        return Money(line.amount, line.currency)
    return row.amount if line.amount > 0 else -row.amount


def book(
    session: Session,
    context: MilestoneContext,
    row: Chargeback,
    second: DuplicatePayment | None,
    line: BalanceLine,
    *,
    now: datetime,
) -> None:
    """Book one balance transaction with its signed fee, in its own currency."""
    if _won_after_all(session, context, row, second, line, now=now):
        return
    amount = _taken(row, line)
    journal = _journal(context, row, line, amount)
    balance_transactions.book_line(
        session,
        line,
        journal,
        now=now,
        milestone_id=context.milestone.id,
        fees_to=accounts.DISPUTE_FEES,
    )
    if journal.kind == "unknown_money":
        suspense_items.of_stripe(session, line, now=now)
        return
    row.taken_minor -= amount.minor
    _bear_fee(row, line)


def _bear_fee(row: Chargeback, line: BalanceLine) -> None:
    """The fee of a line, in the line's currency. One in a second currency cannot be added: it stays with its line."""
    if not row.fees_minor:
        row.fees_currency = line.currency
    if row.fees_currency == line.currency:
        row.fees_minor += line.fee


def _won_after_all(
    session: Session,
    context: MilestoneContext,
    row: Chargeback,
    second: DuplicatePayment | None,
    line: BalanceLine,
    *,
    now: datetime,
) -> bool:
    """The whole of a lost chargeback came back. Where it had been set off against refunds due, they are due again;
    where others had borne it, a person decides what becomes of the money."""
    amount = _taken(row, line)
    if row.status != ChargebackStatus.WON or amount.currency != row.booked_currency or not row.lost_minor:
        return False
    if not (
        duplicate_chargebacks.bore_whole_loss(second, row, amount)
        if second
        else refund_offsets.bore_whole_loss(session, context, row, amount)
    ):
        return False
    key = f"chargeback.{row.stripe_dispute}.{line.id}"
    owed = accounts.UNAPPLIED_FUNDS if second else accounts.refund_payable(context.milestone.id)
    journal = postings.chargeback_regained(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=amount,
        fee=balance_transactions.moved(line, amount)[1],
        owed=owed,
        cause={"dispute": row.stripe_dispute, "balance_transaction": line.id},
    )
    balance_transactions.book_line(
        session,
        line,
        journal,
        now=now,
        milestone_id=context.milestone.id,
        fees_to=accounts.DISPUTE_FEES,
    )
    row.taken_minor, row.lost_minor = 0, 0
    _bear_fee(row, line)
    if second:
        duplicate_chargebacks.reinstate_refunds(session, context, second, amount, key=key, now=now)
    else:
        refund_offsets.reinstate_refunds(session, context, row, key=key, now=now)
    return True


def _journal(context: MilestoneContext, row: Chargeback, line: BalanceLine, amount: Money) -> Journal:
    """More than was withdrawn cannot come back, nor another currency: that is booked to suspense, for a person to
    explain."""
    fee = balance_transactions.moved(line, amount)[1]
    key = f"chargeback.{row.stripe_dispute}.{line.id}"
    cause = {"dispute": row.stripe_dispute, "balance_transaction": line.id}
    foreign = amount.currency != row.booked_currency
    if foreign or amount.minor > row.taken_minor - row.lost_minor:
        stated, its_fee = Money(line.amount, line.currency), Money(line.fee, line.currency)
        return postings.unknown_money(key=key, amount=stated, fee=its_fee, cause=cause)
    event = postings.chargeback_won if amount.is_positive else postings.chargeback_opened
    return event(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=abs(amount),
        fee=fee,
        cause=cause,
    )
