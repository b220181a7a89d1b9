"""Reversing transfers after a lost chargeback, as far as the money is still on the payee's balance at Stripe."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.actions.debts import receivables
from core.actions.funding import balance_transactions
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import operation_key
from core.actions.payouts import pending_withdrawals, withdrawals
from core.audit.actions import AuditAction
from core.gateways.payments import ReversalSnapshot
from core.ledger import accounts, journal_store, postings
from core.money import Money, stripe_exact
from core.records import OutgoingOperation, Payout
from core.rules.operations import OperationKind, OperationStatus
from core.rules.payouts import PayoutEvent, PayoutStatus
from core.rules.permissions import SYSTEM

STILL_THERE = (PayoutStatus.TRANSFERRED, PayoutStatus.ADMINISTRATIVE_REVIEW)


def request(session: Session, context: MilestoneContext, debt: Money, *, key: str, now: datetime) -> Money:
    """Request reversals of this milestone's transfers for up to `debt`; returns the amount requested.

    Only what certainly is there: the payout was not sent or has failed, and the ledger has the balance.
    """
    asked = Money.zero(debt.currency)
    for payout in _transferred(session, context):
        call = pending_withdrawals.latest_call(session, payout)
        if call is not None and not _settled(call):
            continue
        there = journal_store.balance(session, accounts.connected_balance(payout.party_id), debt.currency)
        sent = context.money(payout.amount_minor - payout.fee_minor)
        amount = min(debt - asked, sent, there)
        if not amount.is_positive:
            continue
        _ask(session, context, payout, amount, key=key, now=now)
        _shorten(session, context, payout, call, sent - amount, now=now)
        asked += amount
    return asked


def _transferred(session: Session, context: MilestoneContext) -> list[Payout]:
    wanted = (
        select(Payout)
        .where(
            Payout.milestone_id == context.milestone.id,
            Payout.status.in_(STILL_THERE),
            Payout.stripe_transfer.is_not(None),
        )
        .order_by(Payout.id)
        .with_for_update()
    )
    return list(session.scalars(wanted))


def _settled(call: OutgoingOperation) -> bool:
    """Whether this payout has certainly not taken the money: never sent, or refused."""
    return call.status == OperationStatus.REFUSED or (call.first_sent_at is None and call.provider_id is None)


def _ask(
    session: Session, context: MilestoneContext, payout: Payout, amount: Money, *, key: str, now: datetime
) -> None:
    operation = outbox.enqueue(
        session,
        key=operation_key(session, key, payout.id, "reversal"),
        kind=OperationKind.REVERSAL,
        milestone_id=context.milestone.id,
        party_id=payout.party_id,
        amount=stripe_exact(amount),
        payload={"transfer": payout.stripe_transfer, "payout": payout.id},
        now=now,
    )
    context.note(
        session,
        SYSTEM,
        AuditAction.TRANSFER_REVERSE.by("system"),
        now=now,
        about=("payout", payout.id),
        after={"amount": amount.as_dict(), "transfer": payout.stripe_transfer},
        operation_key=operation.key,
    )


def _shorten(
    session: Session,
    context: MilestoneContext,
    payout: Payout,
    call: OutgoingOperation | None,
    rest: Money,
    *,
    now: datetime,
) -> None:
    """Cancel the unsent payout, or send it for the remaining amount."""
    if call is not None and call.status != OperationStatus.REFUSED:
        operation_states.canceled(call, reason="the transfer is reversed", now=now)
    if rest.is_zero:
        withdrawals.move(payout, PayoutEvent.CANCEL, now=now)
    else:
        payout.amount_minor = rest.minor + payout.fee_minor
        if payout.status == PayoutStatus.ADMINISTRATIVE_REVIEW:
            withdrawals.move(payout, PayoutEvent.TRANSFER, now=now)
        pending_withdrawals.send_rest(session, context, payout, rest, after=call, now=now)
    session.flush()


def settle(
    session: Session, operation: OutgoingOperation, snapshot: ReversalSnapshot, *, now: datetime
) -> None:
    """Book the reversed money once, in both books."""
    context = open_milestone(session, operation.milestone_id)
    if not snapshot.lines:
        operation_states.waiting(operation, provider_id=snapshot.id, now=now)
        return
    line, party_id = snapshot.lines[0], context.payee.id
    if not balance_transactions.is_booked(session, line):
        cause = {"operation": operation.key, "reversal": snapshot.id, "balance_transaction": line.id}
        back = postings.transfer_reversed(
            key=operation.key,
            party_id=party_id,
            amount=snapshot.amount,
            cause=cause,
            milestone_id=context.milestone.id,
        )
        balance_transactions.book_line(session, line, back, now=now, milestone_id=context.milestone.id)
        gone = postings.payee_transfer_reversed(
            key=f"{operation.key}.taken", party_id=party_id, amount=snapshot.amount, cause=cause
        )
        journal_store.post(session, gone, now=now)
        _tell(session, context, operation, snapshot, now=now)
    operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
    session.flush()


def _tell(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: ReversalSnapshot,
    *,
    now: datetime,
) -> None:
    context.note(
        session,
        SYSTEM,
        AuditAction.TRANSFER_TAKEN_BACK.by("system"),
        now=now,
        about=("party", context.payee.id),
        after={"reversal": snapshot.id, "amount": snapshot.amount.as_dict()},
        operation_key=operation.key,
    )
    if operation.payload.get("fee"):  # the e-mail about the other method has named it
        return
    context.tell(
        session,
        "money_taken_back",
        context.payee,
        key=f"{operation.key}-taken",
        now=now,
        taken=snapshot.amount,
        owed=receivables.owed(session, context.payee.id, snapshot.amount.currency),
    )
