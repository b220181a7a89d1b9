"""Booking a line of the provider's ledger: once, whoever brings it (answer, webhook or reconciliation)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.gateways.payments import BalanceLine
from core.ledger import accounts, journal_store, postings
from core.ledger.journals import Journal
from core.money import Money
from core.records import BalanceTransaction, StatementLine


def is_booked(session: Session, line: BalanceLine) -> bool:
    """Whether this line of Stripe's is in the ledger already."""
    return session.get(BalanceTransaction, line.id) is not None


def unbooked(session: Session) -> list[str]:
    """Ids of the lines of Stripe's statement that are not in the ledger. The comparison is of the ids alone, which the
    indexes have: a large statement is gone through once, and what is then done of its few lines looks again."""
    booked = exists().where(BalanceTransaction.id == StatementLine.id)
    return list(session.scalars(select(StatementLine.id).where(~booked)))


def moved(line: BalanceLine, whole: Money) -> tuple[Money, Money]:
    """What a line moved, above zero, and its signed fee, for the journal of a payment, refund or dispute of `whole`.

    Converted: it moved all of `whole`, and the fee is in the line's currency, where `book_line` books it.
    """
    if line.currency != whole.currency:
        return whole, Money.zero(whole.currency)
    return Money(abs(line.amount), line.currency), Money(line.fee, line.currency)


def book_line(
    session: Session,
    line: BalanceLine,
    journal: Journal,
    *,
    now: datetime,
    milestone_id: int | None = None,
    fees_to: str = accounts.PROCESSOR_FEES,
) -> None:
    """Post the journal and tie it to the line, so that stripe_balance equals the sum of booked lines.

    Of a line that Stripe converted, the journal is in the payment's currency and without a fee; what lies at Stripe is
    posted beside it in the line's, with the fee (`postings.exchanged`). Call it under the milestone's lock and after
    `is_booked`; the database refuses a second booking of a line.
    """
    converted: dict[str, Any] = {}
    # What belongs to a milestone happens when the desk hears of it, as its payment and its case say; the rest when it
    # happened at Stripe.
    happened_at = line.created if milestone_id is None else None
    if milestone_id is not None and line.created.astimezone(UTC).date() < now.astimezone(UTC).date():
        journal = replace(
            journal, cause={**journal.cause, "of_day": f"{line.created.astimezone(UTC):%Y-%m-%d}"}
        )
    if journal.currency != line.currency:
        (for_amount,) = (each.amount for each in journal.postings if each.account == accounts.STRIPE_BALANCE)
        amount, fee = Money(line.amount, line.currency), Money(line.fee, line.currency)
        here, journal = postings.exchanged(journal, amount=amount, fee=fee, fees_to=fees_to)
        journal_store.post(session, here, now=now, happened_at=happened_at)
        converted = {
            "for_minor": for_amount.minor,
            "for_currency": for_amount.currency,
            "exchange_rate": line.exchange_rate,
        }
    journal_id = journal_store.post(session, journal, now=now, happened_at=happened_at)
    session.add(
        BalanceTransaction(
            id=line.id,
            kind=line.type,
            reporting_category=line.reporting_category,
            amount=line.amount,
            fee=line.fee,
            net=line.net,
            currency=line.currency,
            source=line.source or "",
            milestone_id=milestone_id,
            journal_id=journal_id,
            created_at=line.created,
            booked_at=now,
            **converted,
        )
    )
    session.flush()
