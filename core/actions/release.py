"""Releasing held money: what may stop it, the dividing journal, and the road after a verification."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions import calls, ending, orders, payouts, receipts, receivables
from core.actions.dossier import Dossier
from core.ledger import book, postings
from core.ledger.journal import Journal
from core.money import Money
from core.queries.blocks import facts
from core.rules import holds, milestones, splits
from core.rules.blocks import Block
from core.rules.permissions import Actor


def facts_of(session: Session, dossier: Dossier, *, deciding: int | None = None) -> holds.Facts:
    """What may stop a release, read inside the releasing transaction. `deciding` is the ticket being decided."""
    found = facts(session, [dossier.milestone.id])[dossier.milestone.id]
    return found if deciding is None else holds.without_ticket(found, deciding)


def blocking_payout(session: Session, dossier: Dossier) -> tuple[Block, ...]:
    """What stops money on its way to the payee: all that stops a release, and the want of an account to send it to."""
    blocks = holds.blocking(facts_of(session, dossier))
    return blocks if dossier.payee.stripe_account else (*blocks, holds.NO_ACCOUNT)


def awaited(dossier: Dossier) -> Money | None:
    """What is held of verified work: it is released as soon as nothing stops it."""
    verified = dossier.status is milestones.Status.VERIFIED and dossier.order.held_minor > 0
    return dossier.money(dossier.order.held_minor) if verified else None


def release_verified(
    session: Session, actor: Actor, dossier: Dossier, *, now: datetime, by_silence: bool = False
) -> tuple[Block, ...]:
    """Release everything held for a verified milestone, unless something blocks it; returns what does.

    All funds are held until verification is complete (milestone-payment-flow, Key Business Rules 1).
    """
    if blocks := holds.blocking(facts_of(session, dossier)):
        return blocks
    milestone, order = dossier.milestone, dossier.order
    held, fee = dossier.money(order.held_minor), dossier.money(order.platform_fee_minor)
    split = splits.full_release(held, fee)
    key = f"release.{milestone.id}"
    receivables.line_up(session, dossier)
    made = calls.of_split(session, dossier, split, key=key)
    post_split(session, dossier, split, key=key, now=now, cause={"approval": milestone.id})
    milestone.outcome = milestones.Outcome.RELEASED
    dossier.note(session, actor, "system:payment:release", now=now, after={"released": held.as_dict()})
    payouts.withdraw(session, dossier, made, amount=split.release, key=key, now=now)
    told = f"{key}-confirmed"
    dossier.tell(session, "release_confirmed", dossier.payer, key=told, now=now, by_silence=by_silence)
    ending.finish(session, dossier, now=now)
    return ()


def post_split(
    session: Session,
    dossier: Dossier,
    split: splits.Split,
    *,
    key: str,
    now: datetime,
    cause: Mapping[str, object],
) -> int:
    """Post the dividing journal and move the order's amounts the same way; returns the journal."""
    if split.release.is_positive:
        receivables.line_up(session, dossier)
    journal_id = book.post(session, split_journal(dossier, split, key=key, cause=cause), now=now)
    dossier.order.fee_kept_minor = split.fee_kept.minor
    receipts.of_release(session, dossier, split, key=key, now=now)
    orders.shift(
        session,
        dossier,
        now=now,
        cause=key,
        held=-(split.release + split.refund),
        payable=split.release,
        refundable=split.refund,
    )
    return journal_id


def split_journal(dossier: Dossier, split: splits.Split, *, key: str, cause: Mapping[str, object]) -> Journal:
    return postings.decided(
        key=key,
        milestone_id=dossier.milestone.id,
        payee_id=dossier.payee.id,
        release=split.release,
        refund=split.refund,
        fee_kept=split.fee_kept,
        fee_returned=split.fee_returned,
        concession=split.concession,
        cause=cause,
    )
