"""A refund sent from our bank that came back, or never left it: the debt to the payer is open again.

What came back is a line of our bank's in suspense, which two people explain (`suspense`); what never left is a posting
that no line corresponds to, which two people reverse (`manual_journals`). Either way both journals are kept together,
the refund failed, and its call to Stripe waits for a person, as that of every refund that failed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.chargebacks import refund_offsets
from core.actions.milestones import orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.reconciliation import suspense_items
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.ledger import journal_store, postings
from core.ledger.journals import Cause as JournalCause
from core.ledger.journals import Journal
from core.money import Money
from core.records import (
    BankMatch,
    BankMatchPosting,
    FailedReturn,
    ManualJournal,
    OutgoingOperation,
    Refund,
    RefundReturn,
    SuspenseItem,
)
from core.rules import refunds as rules
from core.rules.bank_matching import MatchRule
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import Actor
from core.rules.proposals import ProposalStatus
from core.rules.reasons import given
from core.rules.refunds import RefundEvent, RefundStatus

CAME_BACK, NEVER_LEFT = "It was sent from our bank, and came back.", "It never left our bank."


class NotSentFromOurBank(DeskError):
    """Refund {refund} was not sent from our bank, or has come back before. Choose the one that this line is."""


class MoreThanWasSent(DeskError):
    """{sent} was sent from our bank for refund {refund}, so {amount} that came in cannot be only that. Match what
    belongs to it, or say what else the line was."""


class SentInAnotherCurrency(DeskError):
    """Refund {refund} was sent as {sent}, and this line is {amount}: it is not in the currency of the debt. Say what
    else it was, and record the refund as never having left our bank once its posting has no line."""


class LeftOurBank(DeskError):
    """Our bank's statement has this refund, so it left. When it comes back, explain its line as that."""


def of(session: Session, refund_id: int | None, amount: Money) -> Refund:
    """The refund that this amount can be, come back. Raises `NotSentFromOurBank`, `MoreThanWasSent`,
    `SentInAnotherCurrency`."""
    refund = session.get(Refund, refund_id) if refund_id is not None else None
    if refund is None or refund.status != RefundStatus.RETURNED or _sent(session, refund) is None:
        raise NotSentFromOurBank(refund=refund_id)
    sent = Money(refund.amount_minor, refund.currency)
    if amount.currency != sent.currency:
        raise SentInAnotherCurrency(refund=refund.id, sent=sent, amount=amount)
    if amount > sent:
        raise MoreThanWasSent(refund=refund.id, sent=sent, amount=amount)
    return refund


def came_back(session: Session, actor: Actor, item: SuspenseItem, *, reason: str, now: datetime) -> None:
    """Two people agree that what lies in suspense is this refund. What the banks kept of it is their charge."""
    reason, arrived = given(reason), Money(item.amount_minor, item.currency)
    plain = of(session, item.target_id, arrived)
    context = open_milestone(session, plain.milestone_id)
    refund = _locked(session, plain.id)
    row, booked = _both(session, refund)
    amount = context.money(refund.amount_minor)
    journal = postings.refund_came_back(
        key=f"suspense.{item.id}",
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=amount,
        kept=amount - arrived,
        cause={
            "suspense": item.id, "bank_line": item.bank_line_id, "refund": refund.id, "reverses_journal": booked,
        },
    )  # fmt: skip
    number = journal_store.post(session, journal, now=now, of_day=suspense_items.day(session, item))
    _open_again(session, actor, context, refund, row, CAME_BACK, booked, number, reason=reason, now=now)


def reversal(before: Journal, *, key: str, cause: JournalCause) -> Journal:
    """Of the journal that booked a refund as sent: the same lines on the other side."""
    assert before.milestone_id is not None
    return postings.refund_never_left(
        key=key,
        milestone_id=before.milestone_id,
        party_id=before.party_id,
        amount=max(line.amount for line in before.postings),
        cause=cause,
    )


def require_never_left(session: Session, journal_id: int) -> None:
    """A posting that our bank's statement has is not reversed. Raises `LeftOurBank`."""
    at_the_bank = (
        select(BankMatch.id)
        .join(BankMatchPosting, BankMatchPosting.match_id == BankMatch.id)
        .where(BankMatchPosting.journal_id == journal_id, BankMatch.rule != MatchRule.REVERSED)
    )
    if session.scalars(at_the_bank).first() is not None:
        raise LeftOurBank()


def failed(session: Session, journal_id: int) -> bool:
    """Whether what this journal booked as sent is recorded as come back, or as never having left."""
    wanted = select(FailedReturn.return_id).where(FailedReturn.sent_journal_id == journal_id)
    return session.scalars(wanted).first() is not None


def never_left(
    session: Session, actor: Actor, proposed: ManualJournal, *, reason: str, now: datetime
) -> None:
    """Two people reversed what booked a refund as sent; of any other journal nothing follows."""
    reason = given(reason)
    assert proposed.journal_id is not None
    assert proposed.reverses_journal_id is not None
    before = journal_store.one(session, proposed.reverses_journal_id).journal
    if before.kind != "refund_returned":
        return
    context = open_milestone(session, before.milestone_id or 0)
    refund = _locked(session, before.cause["refund"])
    row, booked = _both(session, refund)
    _open_again(
        session, actor, context, refund, row, NEVER_LEFT, booked, proposed.journal_id, reason=reason, now=now
    )


def _locked(session: Session, refund_id: int) -> Refund:
    return session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)


def _sent(session: Session, refund: Refund) -> RefundReturn | None:
    """The record by which it left our bank, if it did and has not come back since."""
    wanted = (
        select(RefundReturn)
        .outerjoin(FailedReturn, FailedReturn.return_id == RefundReturn.id)
        .where(
            RefundReturn.refund_id == refund.id,
            RefundReturn.status == ProposalStatus.DONE,
            FailedReturn.return_id.is_(None),
        )
    )
    return session.scalars(wanted).one_or_none()


def _both(session: Session, refund: Refund) -> tuple[RefundReturn, int]:
    """The record by which it left, and the journal that booked that. Raises `NotSentFromOurBank`."""
    row = _sent(session, refund)
    if row is None or refund.status != RefundStatus.RETURNED:
        raise NotSentFromOurBank(refund=refund.id)
    booked = [
        each.id
        for each in journal_store.of_milestone(session, refund.milestone_id)
        if each.journal.kind == "refund_returned" and each.journal.cause.get("refund") == refund.id
    ]
    return row, booked[-1]


def _open_again(
    session: Session, actor: Actor, context: MilestoneContext, refund: Refund, row: RefundReturn, why: str, sent: int,
    journal: int, *, reason: str, now: datetime,
) -> None:  # fmt: skip
    amount, part = context.money(refund.amount_minor), context.money(refund.milestone_part_minor)
    audit.become(refund, rules.after(refund.status, RefundEvent.FAIL), now=now, by=actor)
    refund.settled_at, refund.failure = None, why
    session.flush()  # the database looks at the refund
    session.add(FailedReturn(return_id=row.id, sent_journal_id=sent, journal_id=journal, at=now))
    call = session.get_one(OutgoingOperation, refund.operation_id, with_for_update=True)
    operation_states.for_review(call, reason=why, now=now)
    orders.shift(
        session,
        context,
        now=now,
        cause=Cause(CauseKind.REFUND_FAILED, f"refund_return.{row.id} failed", refund=refund.id),
        refundable=part,
        refunded=-part,
    )
    context.note(
        session,
        actor,
        AuditAction.REFUND_FAIL_RETURN.by("staff"),
        now=now,
        about=("refund", refund.id),
        reason=reason,
        after={"amount": amount.as_dict(), "sent": sent, "journal": journal, "reference": row.reference},
        operation_key=call.key,
    )
    context.tell(
        session,
        "refund_return_failed",
        context.payer,
        key=f"refund-return-{row.id}-failed",
        now=now,
        about=("refund", refund.id),
        refunded=amount.text(),
        reference=row.reference,
    )
    session.flush()
    refund_offsets.on_refund_failed(session, call, now=now)
