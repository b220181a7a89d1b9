"""Releasing held funds: what may block it, and what follows a verification."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.debts import receivables
from core.actions.decisions import outcome, planned_calls
from core.actions.milestones import completion
from core.actions.milestones.milestone_context import MilestoneContext
from core.audit.actions import AuditAction
from core.money import Money
from core.queries import payee_accounts
from core.queries.release_blocks import facts
from core.rules import holds, milestones, splits
from core.rules.permissions import Actor
from core.rules.refusal_reasons import Block


def facts_of(session: Session, context: MilestoneContext, *, deciding: int | None = None) -> holds.Facts:
    """What may block a release, read inside the releasing transaction. `deciding`: the case being decided."""
    found = facts(session, [context.milestone.id])[context.milestone.id]
    return found if deciding is None else holds.without_case(found, deciding)


def blocking_payout(session: Session, context: MilestoneContext) -> tuple[Block, ...]:
    """What blocks money on its way to the payee: everything that blocks a release, and everything about this payee."""
    blocks = holds.blocking(facts_of(session, context))
    return (*blocks, *payee_accounts.blocking(session, context.payee, context.milestone.currency))


def awaited(context: MilestoneContext) -> Money | None:
    """Held funds of verified work: released as soon as nothing blocks them."""
    verified = context.status is milestones.Status.VERIFIED and context.order.held_minor > 0
    return context.money(context.order.held_minor) if verified else None


def release_verified(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    *,
    now: datetime,
    by_silence: bool = False,
    blocks: tuple[Block, ...] | None = None,
) -> tuple[Block, ...]:
    """Release everything held for a verified milestone, unless something blocks it; returns what does. `blocks`: what
    was found to block it just before, under the milestone's lock.

    All funds are held until verification is complete (milestone-payment-flow, Key Business Rules 1).
    """
    if blocks is None:
        blocks = holds.blocking(facts_of(session, context))
    if blocks:
        return blocks
    milestone, order = context.milestone, context.order
    held, fee = context.money(order.held_minor), context.money(order.platform_fee_minor)
    split = splits.full_release(held, fee)
    key = f"release.{milestone.id}"
    receivables.lock_payee(session, context)
    with session.no_autoflush:
        made = planned_calls.of_split(session, context, split, key=key)
    milestone.outcome = milestones.Outcome.RELEASED
    outcome.divide(session, context, split, made, key=key, cause={"approval": milestone.id}, now=now)
    context.note(
        session, actor, AuditAction.PAYMENT_RELEASE.by("system"), now=now, after={"released": held.as_dict()}
    )
    told = f"{key}-confirmed"
    context.tell(session, "release_confirmed", context.payer, key=told, now=now, by_silence=by_silence)
    completion.finish(session, context, now=now)
    return ()
