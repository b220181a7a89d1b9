"""Settling unexplained money: one person says what it was, with a reason, and another agrees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.funding import duplicate_payments
from core.actions.milestones.milestone_context import open_milestone
from core.actions.payouts import receivables
from core.actions.refunds import hand_refunds
from core.actions.risk import external_movements
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.ledger import accounts, journal_store, postings
from core.money import Money
from core.records import Party, Staff, SuspenseItem
from core.rules import suspense as rules
from core.rules.permissions import Actor, Permission, require, require_one
from core.rules.reasons import given
from core.rules.suspense import SettledAs, SuspenseStatus

ACCOUNTS = {
    SettledAs.OWN_MONEY: accounts.BANK,
    SettledAs.PROCESSOR_FEE: accounts.PROCESSOR_FEES,
    SettledAs.CONCESSION: accounts.REFUND_CONCESSION,
    SettledAs.CHARGEBACK_LOSS: accounts.CHARGEBACK_LOSSES,
    SettledAs.RETURN_TO_PAYER: accounts.UNAPPLIED_FUNDS,
}


class AlreadySettled(DeskError):
    """This amount was settled meanwhile, as {settled_as}."""


class NotProposed(DeskError):
    """Nobody has said yet what this amount was."""


class AlreadyProposed(DeskError):
    """{who} said on {when} that {amount} was: {what}. That is approved or rejected first; until then nothing else can
    be said of it."""


def propose(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    item_ids: Sequence[int],
    settled_as: SettledAs,
    reason: str,
    target_id: int | None = None,
) -> list[SuspenseItem]:
    """Say what these amounts were. Nothing is booked yet, and while it waits nothing else is said of them.

    Raises `AlreadySettled`, `AlreadyProposed`, `DoNotCancelOut`, `CameIn`, `NotAPayment`, `NotARefund`,
    `TargetMissing`, `OneAtATime`, `OwesLess`, and what `hand_refunds.owed` raises.
    """
    require(actor, Permission.SETTLE_SUSPENSE)
    reason = given(reason)
    items = _locked(session, item_ids)
    _require_free(session, items)
    _check(session, items, settled_as, target_id)
    for item in items:
        item.proposed_as, item.target_id, item.proposed_reason = settled_as, target_id, reason
        item.proposed_by, item.proposed_at = actor.id, now
        _note(session, actor, "finance:suspense:propose", item, reason=reason, now=now)
    session.flush()
    return items


def confirm(
    session: Session, actor: Actor, *, now: datetime, item_ids: Sequence[int], reason: str
) -> list[SuspenseItem]:
    """Agree: each amount leaves suspense for the account that it belongs to, and what is to go back is sent.

    What was proposed together is settled together. Raises `ProposerConfirms`, `NotProposed`, `AlreadySettled`,
    `StepUpRequired` and what `propose` raises.
    """
    require(actor, Permission.CONFIRM_SUSPENSE, now)
    reason = given(reason)
    items = _locked(session, item_ids)
    settled_as = _proposed_together(items)
    rules.check_confirmer(items[0].proposed_by, actor.id)
    _check(session, items, settled_as, items[0].target_id)
    for item in items:
        _settle(session, actor, item, settled_as, now=now)
        external_movements.line_settled(session, item, settled_as, now=now)
        audit.become(item, SuspenseStatus.SETTLED, now=now, by=actor)
        item.settled_as, item.reason = settled_as, reason
        item.settled_by, item.settled_at = actor.id, now
        _note(session, actor, "finance:suspense:settle", item, reason=reason, now=now)
    session.flush()
    return items


def reject(
    session: Session, actor: Actor, *, now: datetime, item_ids: Sequence[int], reason: str
) -> list[SuspenseItem]:
    """Refuse what was proposed together, or withdraw it as the one who did: the amounts are unexplained again.

    Raises `NotProposed`, `AlreadySettled`, `ChangedMeanwhile`.
    """
    require_one(actor, Permission.SETTLE_SUSPENSE, Permission.CONFIRM_SUSPENSE)
    reason = given(reason)
    items = _locked(session, item_ids)
    _proposed_together(items)
    verb = "withdraw" if items[0].proposed_by == actor.id else "reject"
    for item in items:
        _note(session, actor, f"finance:suspense:{verb}", item, reason=reason, now=now)
        item.proposed_as = item.target_id = item.proposed_reason = item.proposed_by = item.proposed_at = None
    session.flush()
    return items


def _require_free(session: Session, items: Sequence[SuspenseItem]) -> None:
    """An amount has one explanation at a time, under its lock; the database says so too. Raises `AlreadyProposed`."""
    for item in items:
        if item.proposed_as is not None and item.proposed_at is not None:
            raise AlreadyProposed(
                who=session.get_one(Staff, item.proposed_by).name,
                when=f"{item.proposed_at:%Y-%m-%d at %H:%M} UTC",
                amount=_amount(item),
                what=rules.words(SettledAs(item.proposed_as), [_amount(item)]),
            )


def _proposed_together(items: Sequence[SuspenseItem]) -> SettledAs:
    """What all of them were said to be, by one person at one time. Raises `ChangedMeanwhile`, `NotProposed`."""
    as_proposed = {(each.proposed_as, each.proposed_by, each.proposed_at, each.target_id) for each in items}
    if len(as_proposed) != 1:
        raise ChangedMeanwhile(kind="proposal", what="these amounts were not proposed together")
    settled_as = items[0].proposed_as
    if settled_as is None:
        raise NotProposed()
    return SettledAs(settled_as)


def _check(
    session: Session, items: Sequence[SuspenseItem], settled_as: SettledAs, target_id: int | None
) -> None:
    amounts = [_amount(each) for each in items]
    rules.check(settled_as, amounts, payment_intent=items[0].payment_intent, target_id=target_id)
    if settled_as in (SettledAs.RETURN_TO_PAYER, SettledAs.REFUND_OWED):
        open_milestone(session, target_id or 0, lock=False)
    if settled_as is SettledAs.REFUND_OWED:
        hand_refunds.owed(session, items[0], target_id or 0)
    if settled_as is SettledAs.PAYEE_DEBT:
        if session.get(Party, target_id) is None:
            raise NotFound(kind="payee", id=target_id)
        session.scalars(select(Party.id).where(Party.id == target_id).with_for_update(key_share=True)).one()
        owed = receivables.free(session, target_id or 0, amounts[0].currency, but=items[0].id)
        if owed < amounts[0]:
            raise rules.OwesLess(owed=owed, amount=amounts[0])


def _settle(
    session: Session, actor: Actor, item: SuspenseItem, settled_as: SettledAs, *, now: datetime
) -> None:
    if settled_as is SettledAs.REFUND_OWED:
        hand_refunds.adopt(session, actor, open_milestone(session, item.target_id or 0), item, now=now)
        return
    account = ACCOUNTS.get(settled_as)
    if settled_as is SettledAs.PAYEE_DEBT:
        account = accounts.receivable_payee(item.target_id or 0)
    amount = _amount(item)
    if account is not None and not amount.is_zero:
        journal = postings.suspense_settled(
            key=f"suspense.{item.id}",
            account=account,
            amount=amount,
            cause={"suspense": item.id, "balance_transaction": item.transaction_id},
        )
        journal_store.post(session, journal, now=now)
    if settled_as is SettledAs.RETURN_TO_PAYER:
        assert item.payment_intent is not None
        context = open_milestone(session, item.target_id or 0)
        duplicate_payments.send_back(
            session,
            context,
            payment_intent=item.payment_intent,
            charge=item.source,
            amount=amount,
            template="payment_returned",
            now=now,
        )


def _amount(item: SuspenseItem) -> Money:
    return Money(item.amount_minor, item.currency)


def _note(
    session: Session, actor: Actor, action: str, item: SuspenseItem, *, reason: str, now: datetime
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="suspense",
        object_id=item.id,
        now=now,
        reason=reason,
        after={"as": item.proposed_as, "amount": _amount(item).as_dict(), "target": item.target_id},
    )


def _locked(session: Session, item_ids: Sequence[int]) -> list[SuspenseItem]:
    items = []
    for number in sorted(set(item_ids)):
        wanted = select(SuspenseItem).where(SuspenseItem.id == number).with_for_update()
        item = session.scalars(wanted).one_or_none()
        if item is None:
            raise NotFound(kind="unexplained amount", id=number)
        if item.status != SuspenseStatus.OPEN:
            raise AlreadySettled(settled_as=(item.settled_as or "").replace("_", " ").lower())
        items.append(item)
    if not items:
        raise NotFound(kind="unexplained amount", id="")
    return items
