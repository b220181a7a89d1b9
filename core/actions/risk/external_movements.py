"""Money of a milestone that left Stripe without the desk: a refund made by hand there, a payment that failed after all.

What is held is then not there any more, so everything about the milestone stops at a hold that says why and what is to
be done: decisions and approvals are refused with its sentence, timers and payouts wait, and it is on the case before
anyone decides. A refund of the desk's own is not sent before the hold is lifted and finance has settled the line; if
the line was that refund, it never is (`hand_refunds`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import open_milestone
from core.actions.risk.hold_letters import tell_of_hold
from core.audit.actions import AuditAction
from core.gateways.payments import RefundSnapshot
from core.money import Money
from core.records import Hold, PaymentOrder, SuspenseItem
from core.rules import suspense
from core.rules.holds import HoldKind
from core.rules.permissions import SYSTEM, Role
from core.rules.references import reference
from core.rules.refusal_reasons import Block
from core.rules.suspense import SettledAs, SuspenseStatus

IF_OWED = (
    "If this was to be the milestone's refund: lift this hold, decide the refund unless that is done, and settle the "
    f"line on the page Reconciliation as “{suspense.WORDS[SettledAs.REFUND_OWED]}”; the desk then sends none "
    "of its own. If not: settle the line there as what it was, then lift this hold."
)
BACK = "the money is back there"
SETTLE_FIRST = "Finance settles that line on the page Reconciliation, then this hold is lifted."


def refund_made_outside(session: Session, snapshot: RefundSnapshot, *, now: datetime) -> bool:
    """A refund that no call of the desk made: stop its milestone, or say on its hold that it came back. Returns whether
    that was done, now or before."""
    paid = or_(
        PaymentOrder.stripe_payment_intent == (snapshot.payment_intent or ""),
        PaymentOrder.stripe_charge == (snapshot.charge or ""),
    )
    milestone_id = session.scalars(select(PaymentOrder.milestone_id).where(paid)).first()
    if milestone_id is None:
        return False
    if snapshot.lost:
        return _came_back(session, milestone_id, snapshot, now=now)
    what = f"{snapshot.amount.text()} was refunded to the payer at Stripe, outside this desk ({snapshot.id})"
    return _stop(session, milestone_id, snapshot.id, what, IF_OWED, now=now)


def payment_reversed(session: Session, amount: Money, source: str, *, now: datetime) -> bool:
    """A line reversed the payment itself, days after it was booked: the payer's bank did not pay after all."""
    paid = select(PaymentOrder.milestone_id).where(PaymentOrder.stripe_charge == source)
    milestone_id = session.scalars(paid).first() if amount.is_negative else None
    if milestone_id is None:
        return False
    what = f"Stripe took {(-amount).text()} of the payment back ({source})"
    return _stop(session, milestone_id, source, what, SETTLE_FIRST, now=now)


def stopping_refunds(session: Session, milestone_id: int) -> tuple[Block, ...]:
    """Why no refund of this milestone is sent: money left outside the desk, and nobody has explained it yet."""
    settled = select(func.count()).where(
        SuspenseItem.source == Hold.stripe_object, SuspenseItem.status == SuspenseStatus.SETTLED
    )
    wanted = (
        select(Hold, settled.scalar_subquery())
        .where(Hold.milestone_id == milestone_id, Hold.stripe_object.is_not(None))
        .order_by(Hold.id)
    )
    return tuple(_block(hold) for hold, lines in session.execute(wanted) if _stops(hold, bool(lines)))


def _stops(hold: Hold, settled: bool) -> bool:
    return hold.released_at is None or (hold.news is None and not settled)


def _block(hold: Hold) -> Block:
    if hold.released_at is None:
        said = " ".join(filter(None, (hold.reason, hold.news)))
        return Block("hold", f"Hold {reference('hold', hold.id)} is in place: {said}")
    return Block(
        "hand_refund",
        f"Money moved at Stripe, outside this desk ({hold.stripe_object}), and finance has not settled that line yet.",
    )


def _stop(
    session: Session, milestone_id: int, source: str, what: str, next_step: str, *, now: datetime
) -> bool:
    """Place a hold, once for each object at Stripe; nothing where no money is left to block."""
    context = open_milestone(session, milestone_id)
    if _about(session, milestone_id, source) is not None:
        return True
    order = context.order
    if not order.held_minor + order.payable_minor + order.refundable_minor:
        return False
    why = f"{what}, so less is at Stripe than the desk holds for this milestone. {next_step}"
    hold = Hold(
        milestone_id=milestone_id, kind=HoldKind.RISK, reason=why, placed_at=now, stripe_object=source
    )
    session.add(hold)
    session.flush()
    context.touch()
    about = ("hold", hold.id)
    context.note(
        session,
        SYSTEM,
        AuditAction.HOLD_PLACE.by("system"),
        now=now,
        about=about,
        reason=why,
        contents=[hold],
    )
    tell_of_hold(session, context, hold, (Role.FINANCE, Role.COMPLIANCE), now=now, why=why)
    return True


def _came_back(session: Session, milestone_id: int, snapshot: RefundSnapshot, *, now: datetime) -> bool:
    """The refund made by hand failed: the hold says so, and stays until a person lifts it."""
    context = open_milestone(session, milestone_id)
    hold = _about(session, milestone_id, snapshot.id)
    if hold is None:
        return False
    known = hold.news or ""
    if BACK not in known:
        ended = "failed" if snapshot.status == "failed" else "was canceled"
        news = (
            f"Stripe said on {now:%-d %b %Y, %H:%M} UTC that this refund {ended}: {BACK}. "
            "Its two lines on the page Reconciliation cancel each other out, and this hold may be lifted."
        )
        hold.news = " ".join(filter(None, (known, news)))
        session.flush()
        context.touch()
        context.note(
            session,
            SYSTEM,
            AuditAction.HOLD_NEWS.by("system"),
            now=now,
            about=("hold", hold.id),
            reason=hold.news,
        )
    return True


def line_settled(session: Session, item: SuspenseItem, settled_as: SettledAs, *, now: datetime) -> None:
    """Finance has explained the line: the hold about it says so, and stays until a person lifts it."""
    untold = (Hold.stripe_object == item.source) & Hold.released_at.is_(None) & Hold.news.is_(None)
    number = session.scalar(select(Hold.milestone_id).where(untold)) if item.source else None
    if number is None:
        return
    context = open_milestone(session, number)
    again = select(Hold).where(untold).execution_options(populate_existing=True)
    hold = session.scalars(again).one_or_none()
    if hold is None:  # lifted, or told of something else, while its milestone was waited for
        return
    what = suspense.words(settled_as, [Money(item.amount_minor, item.currency)])
    hold.news = (
        f"Finance settled this line on {now:%-d %b %Y, %H:%M} UTC as “{what}”; this hold may be lifted."
    )
    session.flush()
    context.note(
        session,
        SYSTEM,
        AuditAction.HOLD_NEWS.by("system"),
        now=now,
        about=("hold", hold.id),
        reason=hold.news,
    )


def _about(session: Session, milestone_id: int, source: str) -> Hold | None:
    wanted = select(Hold).where(Hold.milestone_id == milestone_id, Hold.stripe_object == source)
    return session.scalars(wanted).one_or_none()
