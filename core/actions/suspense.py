"""Settling unexplained money: a person says what it was, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.errors import DeskError, NotFound, ReasonMissing
from core.ledger import accounts, book, postings
from core.money import Money
from core.records import SuspenseItem
from core.rules import suspense as rules
from core.rules.permissions import Actor, Permission, require, require_fresh
from core.rules.suspense import SettledAs

ACCOUNTS = {
    SettledAs.OWN_MONEY: accounts.BANK,
    SettledAs.PROCESSOR_FEE: accounts.PROCESSOR_FEES,
    SettledAs.CONCESSION: accounts.REFUND_CONCESSION,
}


class AlreadySettled(DeskError):
    """This amount was settled meanwhile, as {settled_as}."""


def settle(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    item_ids: Sequence[int],
    settled_as: SettledAs,
    reason: str,
) -> list[SuspenseItem]:
    """Each amount leaves suspense for the account that it belongs to; amounts that cancel each other out just end.

    Raises `AlreadySettled`, `DoNotCancelOut`, `StepUpRequired`.
    """
    require(actor, Permission.SETTLE_SUSPENSE)
    require_fresh(actor, now)
    if not reason.strip():
        raise ReasonMissing()
    items = _locked(session, item_ids)
    amounts = [Money(each.amount_minor, each.currency) for each in items]
    if settled_as is SettledAs.EACH_OTHER:
        rules.check_each_other(amounts)
    for item, amount in zip(items, amounts, strict=True):
        if settled_as in ACCOUNTS and not amount.is_zero:
            journal = postings.suspense_settled(
                key=f"suspense.{item.id}",
                account=ACCOUNTS[settled_as],
                amount=amount,
                cause={"suspense": item.id, "balance_transaction": item.transaction_id},
            )
            book.post(session, journal, now=now)
        item.status, item.settled_as, item.reason = "SETTLED", settled_as, reason
        item.settled_by, item.settled_at = actor.id, now
        audit.record(
            session,
            actor,
            "finance:suspense:settle",
            object_kind="suspense",
            object_id=item.id,
            now=now,
            reason=reason,
            after={"as": settled_as, "amount": amount.as_dict()},
        )
    session.flush()
    return items


def _locked(session: Session, item_ids: Sequence[int]) -> list[SuspenseItem]:
    items = []
    for number in sorted(set(item_ids)):
        wanted = select(SuspenseItem).where(SuspenseItem.id == number).with_for_update()
        item = session.scalars(wanted).one_or_none()
        if item is None:
            raise NotFound(kind="unexplained amount", id=number)
        if item.status != "OPEN":
            raise AlreadySettled(settled_as=(item.settled_as or "").replace("_", " ").lower())
        items.append(item)
    if not items:
        raise NotFound(kind="unexplained amount", id="")
    return items
