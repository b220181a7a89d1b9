"""Releasing held money: what may stop it, the dividing journal, and the road after a verification."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions import ending, orders, payouts
from core.actions.dossier import Dossier
from core.ledger import book, postings
from core.notifications import tell
from core.records import Hold, Ticket
from core.rules import holds, milestones, splits
from core.rules.blocks import Block
from core.rules.disputes import BLOCKING
from core.rules.permissions import Actor


def facts_of(session: Session, dossier: Dossier, *, deciding: int | None = None) -> holds.Facts:
    """What may stop a release, read inside the releasing transaction. `deciding` is the ticket being decided."""
    milestone_id = dossier.milestone.id
    tickets = session.execute(
        select(Ticket.id, Ticket.status).where(
            Ticket.milestone_id == milestone_id, Ticket.status.in_(BLOCKING), Ticket.id != (deciding or 0)
        )
    ).all()
    kept = session.execute(
        select(Hold.id, Hold.kind, Hold.reason).where(
            Hold.milestone_id == milestone_id, Hold.released_at.is_(None)
        )
    ).all()
    return holds.Facts(
        open_tickets=tuple(holds.OpenTicket(*row) for row in tickets),
        manual_holds=tuple(holds.ActiveHold(*row) for row in kept),
        chargeback_open=dossier.order.chargeback_open,
    )


def release_verified(session: Session, actor: Actor, dossier: Dossier, *, now: datetime) -> tuple[Block, ...]:
    """Release everything held for a verified milestone, unless something blocks it; returns what does.

    All funds are held until verification is complete (milestone-payment-flow, Key Business Rules 1).
    """
    if blocks := holds.blocking(facts_of(session, dossier)):
        return blocks
    milestone, order = dossier.milestone, dossier.order
    held, fee = dossier.money(order.held_minor), dossier.money(order.platform_fee_minor)
    split = splits.full_release(held, fee)
    key = f"release.{milestone.id}"
    post_split(session, dossier, split, key=key, now=now, cause={"approval": milestone.id})
    milestone.outcome = milestones.Outcome.RELEASED
    audit.record(
        session,
        actor,
        "system:payment:release",
        object_kind="milestone",
        object_id=milestone.id,
        now=now,
        after={"released": held.as_dict()},
        **dossier.ids,
    )
    payouts.request(session, dossier, split.release, key=key, now=now)
    tell(
        session,
        "release_confirmed",
        party_id=dossier.payer.id,
        key=f"{key}-confirmed",
        now=now,
        **dossier.ids,
        amount=dossier.amount,
    )
    ending.finish(session, dossier, now=now)
    return ()


def post_split(
    session: Session,
    dossier: Dossier,
    split: splits.Split,
    *,
    key: str,
    now: datetime,
    cause: dict[str, object],
) -> int:
    """Post the dividing journal and move the order's amounts the same way; returns the journal."""
    journal_id = book.post(session, split_journal(dossier, split, key=key, cause=cause), now=now)
    dossier.order.fee_kept_minor = split.fee_kept.minor
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


def split_journal(
    dossier: Dossier, split: splits.Split, *, key: str, cause: dict[str, object]
) -> postings.Journal:
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
