"""A line of Stripe's that was booked with other amounts than its statement states: what it differs by is booked.

First to suspense, because the statement says so; what it was is proposed by one person and approved by another, as for
every amount there. The line stays as it was booked, with its corrections beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.reconciliation import breaks, suspense, suspense_items
from core.errors import DeskError
from core.ledger import journal_store, postings
from core.money import Money
from core.records import BalanceTransaction, Break, LineCorrection, StatementLine, SuspenseItem
from core.rules.breaks import Side
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.reconciliation import BreakKind
from core.rules.references import reference
from core.rules.suspense import SettledAs, SuspenseStatus

WHY = "Stripe's statement differs by this from what was booked for the line."


class NoDifference(DeskError):
    """Only a line of which Stripe's statement and the ledger have different net amounts, in one currency, has a
    difference that can be booked."""


class StillInSuspense(DeskError):
    """An amount of this line lies in suspense and is not explained. Explain that first: {item}."""


def explain(
    session: Session, actor: Actor, *, now: datetime, break_id: int, settled_as: SettledAs, reason: str,
    target_id: int | None = None,
) -> list[SuspenseItem]:  # fmt: skip
    """Book the difference to suspense and propose what it was. Raises `BreakIsClosed`, `NoDifference`,
    `StillInSuspense` and what `suspense.propose` does."""
    require(actor, Permission.SETTLE_SUSPENSE)
    reason = given(reason)
    row = breaks.locked(session, break_id)
    stated, booked, corrected = _all(session, row)
    still = select(SuspenseItem.id).where(
        SuspenseItem.transaction_id == booked.id, SuspenseItem.status == SuspenseStatus.OPEN
    )
    if (number := session.scalars(still).first()) is not None:
        raise StillInSuspense(item=reference("suspense", number))
    item = _to_suspense(session, stated, booked, corrected, now=now)
    return suspense.propose(
        session, actor, now=now, item_ids=[item.id], settled_as=settled_as, reason=reason, target_id=target_id
    )


def _all(session: Session, row: Break) -> tuple[StatementLine, BalanceTransaction, Sequence[LineCorrection]]:
    """The line as it is stated, as it was booked, and what was corrected of it since. Raises `NoDifference`."""
    stated = session.get(StatementLine, row.transaction_id) if row.transaction_id else None
    booked = session.get(BalanceTransaction, row.transaction_id) if row.transaction_id else None
    if row.side != Side.STRIPE or row.kind != BreakKind.AMOUNT_DIFFERS or stated is None or booked is None:
        raise NoDifference()
    corrected = breaks.corrections(session, booked.id)
    if stated.currency != booked.currency or stated.net == booked.net + sum(each.net for each in corrected):
        raise NoDifference()
    return stated, booked, corrected


def _to_suspense(
    session: Session, stated: StatementLine, booked: BalanceTransaction, corrected: Sequence[LineCorrection], *,
    now: datetime,
) -> SuspenseItem:  # fmt: skip
    apart = {
        name: getattr(stated, name) - sum(getattr(each, name) for each in (booked, *corrected))
        for name in ("amount", "fee", "net")
    }
    amount = Money(apart["net"], booked.currency)
    cause = {"balance_transaction": booked.id, "source": booked.source}
    key = f"difference.{booked.id}.{len(corrected)}" if corrected else f"difference.{booked.id}"
    journal = postings.line_difference(key=key, amount=amount, cause=cause)
    of_day = booked.created_at.astimezone(UTC).date()
    number = journal_store.post(session, journal, now=now, of_day=of_day)
    session.add(
        LineCorrection(
            transaction_id=booked.id, **apart, currency=booked.currency, journal_id=number, booked_at=now
        )
    )
    session.flush()
    return suspense_items.of_difference(session, booked.id, amount, journal_id=number, why=WHY, now=now)
