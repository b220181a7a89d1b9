"""Other methods offered to a payee whose payout failed, and the payee's choice.

(milestone-payment-flow, Error Handling 2: administrative review, alternative payout methods offered.) Staff offer; the
payee chooses by themselves, and what they choose is sent at once. What a method costs goes by its tariff, less what was
taken with a transfer that was made; whoever offers it may waive it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.payouts import method_fees, payout_review, withdrawals
from core.actions.payouts.payout_review import open_offer
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound, Wording
from core.money import Money
from core.policy import WithdrawalMethod
from core.records import Payout, PayoutOffer
from core.rules import payouts as rules
from core.rules.payouts import PayoutOfferStatus, PayoutStatus
from core.rules.permissions import Actor, NotYours, Permission, require
from core.rules.reasons import given


class NothingOffered(DeskError):
    """Choose at least one method that the amount can pay for."""


class AlreadyOffered(DeskError):
    """Other methods are offered already, and the payee has not chosen yet."""


class NoOfferOpen(DeskError):
    """No other methods are offered for this payout now: the offer was accepted or withdrawn in the meantime."""


class NotOffered(DeskError):
    """{method} was not offered for this payout; choose one of: {offered}."""


def offer(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    payout_id: int,
    methods: Sequence[WithdrawalMethod],
    reason: str,
    waive_fee: bool = False,
) -> PayoutOffer:
    """Offer these methods, and write to the payee what each would cost; nothing where the fee is waived.

    Raises `PayoutNotInReview`, `NothingOffered`, `AlreadyOffered`, `MethodNotSent`, `WithdrawalTooSmall`.
    """
    require(actor, Permission.REVIEW_PAYOUT, now)
    if waive_fee:
        require(actor, Permission.WAIVE_FEE, now)
    reason = given(reason)
    context, payout = payout_review.locked(session, payout_id)
    if not methods:
        raise NothingOffered()
    if open_offer(session, payout.id) is not None:
        raise AlreadyOffered()
    chosen = list(dict.fromkeys(methods))
    for each in chosen:
        rules.require_sent(each)
    nothing = context.money(0)
    costs = [
        (
            withdrawals.IN_WORDS[method].capitalize(),
            nothing if waive_fee else method_fees.due(context, payout, method),
        )
        for method in chosen
    ]
    row = PayoutOffer(
        payout_id=payout.id,
        methods=[each.value for each in chosen],
        fee_waived=waive_fee,
        reason=reason,
        offered_by=actor.id,
        offered_at=now,
        status=PayoutOfferStatus.OPEN,
    )
    session.add(row)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.PAYOUT_OFFER.by("staff"),
        now=now,
        about=("payout", payout.id),
        reason=reason,
        after={"offer": row.id, "methods": row.methods, "fee_waived": waive_fee},
    )
    context.tell(
        session,
        "payout_methods_offered",
        context.payee,
        key=f"payout-offer-{row.id}",
        now=now,
        about=("payout", payout.id),
        sent=_sent(context, payout),
        methods=costs,
    )
    return row


def withdraw(session: Session, actor: Actor, *, now: datetime, payout_id: int, reason: str) -> None:
    """Withdraw the offer and tell the payee: staff decides how the payout is sent. Raises `PayoutNotInReview`,
    `NoOfferOpen`, `StepUpRequired`."""
    require(actor, Permission.REVIEW_PAYOUT, now)
    reason = given(reason)
    context, payout = payout_review.locked(session, payout_id)
    row = open_offer(session, payout.id)
    if row is None:
        raise NoOfferOpen()
    audit.become(row, PayoutOfferStatus.WITHDRAWN, now=now, by=actor)
    row.settled_at = now
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.PAYOUT_WITHDRAW_OFFER.by("staff"),
        now=now,
        about=("payout", payout.id),
        reason=reason,
        after={"offer": row.id},
    )
    context.tell(
        session,
        "payout_offer_withdrawn",
        context.payee,
        key=f"payout-offer-{row.id}-withdrawn",
        now=now,
        about=("payout", payout.id),
        sent=_sent(context, payout),
    )


def choose(
    session: Session, actor: Actor, *, now: datetime, payout_id: int, method: WithdrawalMethod
) -> Payout:
    """The payee takes one of the methods, and the payout is sent again by it.

    Raises `NotFound`, `NotYours`, `NotOffered`, `MethodNotSent`, `PayoutNotInReview`, `OutcomeStillUnknown`.
    """
    context, payout = payout_review.locked(session, payout_id)
    if actor.kind != "party" or actor.id != payout.party_id:
        raise NotYours(actor=actor.label)
    row = open_offer(session, payout.id)
    if row is None:
        raise NotFound(kind="offer of other methods for payout", id=payout_id)
    rules.require_sent(method)
    if method.value not in row.methods:
        raise NotOffered(
            method=Wording(method.value.capitalize(), method),
            offered=Wording(", ".join(row.methods), row.methods),
        )
    audit.become(row, PayoutOfferStatus.CHOSEN, now=now, by=actor)
    row.chosen_method, row.settled_at = method, now
    payout_review.send_again(
        session,
        actor,
        context,
        payout,
        method,
        action=AuditAction.PAYOUT_CHOOSE.by("party"),
        now=now,
        waived_by=row.offered_by if row.fee_waived and method != payout.method else None,
    )
    context.tell(
        session,
        "payout_method_chosen",
        context.payee,
        key=f"payout-offer-{row.id}-chosen",
        now=now,
        about=("payout", payout.id),
        method=withdrawals.IN_WORDS[method],
        withdrawal_fee=context.money(payout.fee_minor),
        sent=_sent(context, payout),
    )
    return payout


def offered(session: Session, actor: Actor) -> list[PayoutOffer]:
    """The offers that this party may choose from now, oldest first."""
    wanted = (
        select(PayoutOffer)
        .join(Payout, Payout.id == PayoutOffer.payout_id)
        .where(
            Payout.party_id == actor.id,
            PayoutOffer.status == PayoutOfferStatus.OPEN,
            Payout.status == PayoutStatus.ADMINISTRATIVE_REVIEW,
        )
    )
    return list(session.scalars(wanted.order_by(PayoutOffer.id)))


def _sent(context: MilestoneContext, payout: Payout) -> Money:
    return context.money(payout.amount_minor - payout.fee_minor)
