"""Client funds: what Stripe's balance covers is recorded, and payouts stop until a person has looked."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, notifications, outbox
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.money import Money
from core.queries import client_funds as queries
from core.records import PayoutStop, StripeBalance
from core.rules import client_funds as rules
from core.rules.client_funds import Look
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.reasons import given

log = structlog.get_logger(__name__)

TOLD = (Role.FINANCE, Role.ADMINISTRATOR)


class StopReleased(DeskError):
    """Payouts in {currency} were released already. Reload the page."""


def record_looks(session: Session, looks: dict[str, Look]) -> None:
    """Record Stripe's balance, and stop the payouts of every currency that it does not cover."""
    for currency, each in sorted(looks.items()):
        row = StripeBalance(
            currency=currency,
            looked_at=each.at,
            at_stripe_minor=each.at_stripe.minor,
            owed_minor=each.owed.minor,
            on_its_way_minor=each.on_its_way.minor,
            available_minor=each.available.minor if each.available else None,
        )
        session.add(row)
        if would_stop(session, each):
            _stop(session, each)
    session.flush()


def would_stop(session: Session, each: Look) -> bool:
    """Whether more is missing than a person has accepted, and payouts are not stopped yet."""
    if not each.short.is_positive or each.short.currency in queries.open_stops(session):
        return False
    return rules.stops(each.short, accepted=_accepted(session, each.short.currency))


def _accepted(session: Session, currency: str) -> Money:
    """How much of a shortfall a person has accepted, unless the funds were complete since."""
    covered = select(func.max(StripeBalance.looked_at)).where(
        StripeBalance.currency == currency,
        StripeBalance.at_stripe_minor >= StripeBalance.owed_minor - StripeBalance.on_its_way_minor,
    )
    last = session.scalars(
        select(PayoutStop)
        .where(PayoutStop.currency == currency, PayoutStop.released_at.is_not(None))
        .order_by(PayoutStop.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.released_at is None:
        return Money.zero(currency)
    since = session.scalar(covered)
    if since is not None and since > last.released_at:
        return Money.zero(currency)
    return Money(last.short_minor, currency)


def _stop(session: Session, each: Look) -> None:
    currency = each.short.currency
    row = PayoutStop(currency=currency, short_minor=each.short.minor, opened_at=each.at)
    session.add(row)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.PAYOUT_STOP_OPEN.by("system"),
        object_kind="payout_stop",
        object_id=row.id,
        now=each.at,
        after={
            "currency": currency,
            "short": each.short.as_dict(),
            "at_stripe": each.at_stripe.as_dict(),
            "owed": each.owed.as_dict(),
        },
    )
    notifications.tell_staff(
        session,
        "client_funds_short",
        staff_ids=[member for role in TOLD for member in notifications.staff_of(session, role)],
        about=("payout_stop", row.id),
        key=f"payout-stop-{row.id}",
        now=each.at,
        currency=currency,
        at_stripe=each.at_stripe,
        owed=each.owed,
        short=each.short,
        looked_at=each.at,
        causes="; ".join(cause(suspect) for suspect in queries.suspects(session, currency)) or NO_CAUSE,
    )
    log.error("client_funds.short", currency=currency, short=each.short.minor)


NO_CAUSE = "not known yet: nothing on Stripe's statement that the desk did not ask for"
KINDS = {
    "payout": "a payout made at Stripe",
    "transfer": "a transfer made at Stripe",
    "refund": "a refund made at Stripe",
}


def cause(suspect: queries.Suspect) -> str:
    """`a payout made at Stripe, po_…, 15,000.00 USD`; a line may name no object."""
    kind = KINDS.get(suspect.kind, suspect.kind.replace("_", " "))
    return ", ".join(filter(None, (kind, suspect.source, suspect.amount.text())))


def release(session: Session, actor: Actor, *, now: datetime, stop_id: int, reason: str) -> None:
    """A person has looked: payouts of this currency continue, and stop again only if more is missing. Raises
    `NotFound`, `StopReleased`, `StepUpRequired`."""
    require(actor, Permission.REVIEW_PAYOUT, now)
    reason = given(reason)
    wanted = select(PayoutStop).where(PayoutStop.id == stop_id).with_for_update()
    row = session.scalars(wanted).one_or_none()
    if row is None:
        raise NotFound(kind="payout stop", id=stop_id)
    if row.released_at is not None:
        raise StopReleased(currency=row.currency)
    row.released_by, row.released_at, row.reason = actor.id, now, reason
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.PAYOUT_STOP_RELEASE.by("staff"),
        object_kind="payout_stop",
        object_id=row.id,
        now=now,
        reason=reason,
        after={"currency": row.currency, "short": Money(row.short_minor, row.currency).as_dict()},
    )
    outbox.wake_transfers(session, row.currency, now=now)


def stopped(session: Session, currency: str) -> bool:
    """Whether automatic payouts of this currency wait for a person."""
    wanted = select(PayoutStop.id).where(PayoutStop.currency == currency, PayoutStop.released_at.is_(None))
    return session.scalars(wanted).first() is not None
