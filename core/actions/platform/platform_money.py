"""The platform's own movements at the provider: top-ups, payouts to its bank, and fees that belong to no payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from core.actions.funding import balance_transactions
from core.actions.reconciliation import reversed_postings
from core.gateways.payments import BalanceLine, PayoutSnapshot
from core.ledger import accounts, journal_store, postings
from core.ledger.journals import Journal
from core.money import CURRENCIES, Money
from core.records import BalanceTransaction, StatementLine
from core.records.ledger import journals
from core.rules import statement_line_types
from core.rules.statement_line_types import Handling

OWN = frozenset({Handling.OWN_MONEY, Handling.OWN_PAYOUT, Handling.FEE})


def is_own(kind: str, category: str) -> bool:
    """Whether only the platform itself, or the provider, can have caused such a line."""
    return statement_line_types.of(kind, category).handling in OWN


def book_own_lines(session: Session, lines: Sequence[str], *, now: datetime) -> int:
    """Book those of the statement's lines that are the platform's own, in their order; returns how many. What is booked
    already is passed over.

    What has come back of a payout that was never seen to leave is left unbooked: a person looks at it.
    """
    unbooked = session.scalars(
        select(StatementLine)
        .outerjoin(BalanceTransaction, BalanceTransaction.id == StatementLine.id)
        .where(StatementLine.id == func.any(list(lines)), BalanceTransaction.id.is_(None))
        .order_by(StatementLine.created_at, StatementLine.amount, StatementLine.id)
    ).all()
    booked = 0
    for stated in unbooked:
        line = balance_line(stated)
        if is_own(line.type, line.reporting_category) and (line.amount or line.fee):
            journal = _journal(session, line)
            if journal is not None:
                balance_transactions.book_line(session, line, journal, now=now)
                booked += 1
    return booked


def balance_line(stated: StatementLine) -> BalanceLine:
    """A stored line of the statement in the form in which Stripe gives one."""
    return BalanceLine(
        id=stated.id,
        type=stated.kind,
        reporting_category=stated.reporting_category,
        amount=stated.amount,
        fee=stated.fee,
        net=stated.net,
        currency=stated.currency,
        source=stated.source,
        created=stated.created_at,
        available_on=stated.created_at,
        status="available",
    )


def _journal(session: Session, line: BalanceLine) -> Journal | None:
    cause = {"balance_transaction": line.id, "source": line.source or ""}
    net = Money(line.net, line.currency)
    match statement_line_types.of(line.type, line.reporting_category).handling:
        case Handling.OWN_MONEY if net.is_negative:
            return postings.top_up_returned(key=f"topup.{line.id}", amount=-net, cause=cause)
        case Handling.OWN_MONEY:
            return postings.topped_up(key=f"topup.{line.id}", amount=net, cause=cause)
        case Handling.OWN_PAYOUT:
            return _payout(session, line, cause)
    return postings.processor_fee(key=f"fee.{line.id}", amount=-net, cause=cause)


def _payout(session: Session, line: BalanceLine, cause: dict[str, str]) -> Journal | None:
    amount, fee = Money(abs(line.amount), line.currency), Money(line.fee, line.currency)
    source = line.source or line.id
    if line.amount < 0:
        return postings.platform_payout_sent(key=_key(source, "sent"), amount=amount, fee=fee, cause=cause)
    if not _is_posted(session, _key(source, "sent")):
        return None
    undo = postings.platform_payout_failed
    if _is_at_the_bank(session, _key(source, "paid")):
        undo = postings.platform_payout_returned
    return undo(key=_key(source, "failed"), amount=amount, fee=fee, cause=cause)


def _key(payout: str, what: str) -> str:
    return f"own_payout.{payout}.{what}"


def _is_posted(session: Session, key: str) -> bool:
    return bool(session.scalar(select(exists().where(journals.c.key == key))))


def _is_at_the_bank(session: Session, key: str) -> bool:
    """Its arrival is posted, and was not reversed by hand."""
    number = session.scalar(select(journals.c.id).where(journals.c.key == key))
    return number is not None and reversed_postings.stands(session, number)


def on_their_way(session: Session) -> list[str]:
    """Stripe's ids of the platform's payouts that have left its balance and not ended yet."""
    if all(journal_store.balance(session, accounts.PAYOUT_IN_TRANSIT, each).is_zero for each in CURRENCIES):
        return []
    ended = select(journals.c.key).where(
        journals.c.key.in_(
            (
                "own_payout." + BalanceTransaction.source + ".paid",
                "own_payout." + BalanceTransaction.source + ".failed",
            )
        )
    )
    wanted = select(BalanceTransaction.source).where(
        BalanceTransaction.kind == "payout", BalanceTransaction.milestone_id.is_(None), ~ended.exists()
    )
    return list(session.scalars(wanted.order_by(BalanceTransaction.created_at)))


def arrived(session: Session, snapshot: PayoutSnapshot, *, now: datetime) -> None:
    """Book that a payout of the platform is at its bank."""
    journal = postings.platform_payout_paid(
        key=_key(snapshot.id, "paid"), amount=snapshot.amount, cause={"payout": snapshot.id}
    )
    journal_store.post(session, journal, now=now)
