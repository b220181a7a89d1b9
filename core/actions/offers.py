"""Offers between the parties: one proposes, the other accepts, and the case closes without a mediator's decision.

What is booked, sent and written is computed by the same plan as a decision's, under the key `agreement.{case}.{n}`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.actions import (
    calls,
    decide,
    dispute,
    ending,
    mediate,
    payouts,
    plan,
    plan_letters,
    receivables,
    refunds,
    release,
)
from core.actions.calls import Calls
from core.actions.dossier import Dossier
from core.actions.messages import MOST, MessageTooLong
from core.actions.plan import Draft
from core.errors import ChangedMeanwhile, NotFound
from core.money import Money
from core.records import Offer, Party, Ticket
from core.rules import holds, milestones
from core.rules import offers as rules
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.offers import OfferEvent, OfferNotYours, OfferStatus
from core.rules.permissions import SYSTEM, Actor, NotYours
from core.rules.splits import Split

FORMAT = "escrow-desk/agreement/2"
RESOLUTION = "AGREED"


def propose(
    session: Session, actor: Actor, *, now: datetime, ticket_id: int, release: Money, note: str = ""
) -> Offer:
    """A party proposes that `release` goes to the payee and the rest of what is held back to the payer.

    An offer of theirs that still stands is withdrawn with it; one of the other side is thereby declined. Raises
    `NotYours`, `TicketClosed`, `AlreadyDecided` and what a decision would raise about amounts.
    """
    dossier, ticket = mediate.locked_ticket(session, ticket_id)
    proposer = _party(dossier, actor)
    _require_undecided(session, ticket)
    split = _split(dossier, ticket, release)
    if len(note) > MOST:
        raise MessageTooLong(most=MOST, length=len(note))
    if (standing := open_offer(session, ticket.id)) is not None:
        own = standing.proposed_by == proposer.id
        _end(session, actor, dossier, standing, OfferEvent.WITHDRAW if own else OfferEvent.DECLINE, now=now)
    offer = Offer(
        ticket_id=ticket.id,
        proposed_by=proposer.id,
        currency=split.release.currency,
        release_minor=split.release.minor,
        refund_minor=split.refund.minor,
        note=note.strip(),
        status=OfferStatus.OPEN,
        made_at=now,
        expires_at=rules.expires_at(now),
    )
    session.add(offer)
    session.flush()
    _trace(session, actor, "party:offer:make", dossier, offer, now=now)
    dossier.tell(
        session,
        "offer_made",
        _other(dossier, proposer),
        key=f"offer-{offer.id}-made",
        now=now,
        about=("offer", offer.id),
        **_letter_facts(dossier, ticket, offer),
        note=offer.note,
        answer_by=offer.expires_at,
    )
    return offer


def accept(session: Session, actor: Actor, *, now: datetime, offer_id: int) -> Offer:
    """The other side agrees: the money moves as proposed and the case is closed. The same again changes nothing.

    Raises `OfferNotYours`, `OfferExpired`, `ReleaseBlocked`, `AlreadyDecided`, `ChangedMeanwhile`, `IllegalMove`.
    """
    dossier, ticket, offer = _locked(session, offer_id)
    party = _party(dossier, actor)
    if offer.proposed_by == party.id:
        raise OfferNotYours(who="You", what="accept")
    if offer.status == OfferStatus.ACCEPTED:
        return offer
    status = rules.after(offer.status, OfferEvent.ACCEPT)
    rules.require_standing(offer.expires_at, now)
    _require_undecided(session, ticket)
    holds.require_clear(release.facts_of(session, dossier, deciding=ticket.id))
    split = _split(dossier, ticket, Money(offer.release_minor, offer.currency))
    if split.refund.minor != offer.refund_minor:  # the bank has taken a part of it since
        raise ChangedMeanwhile(kind="offer", what=f"{dossier.money(dossier.order.held_minor)} is held now")
    key = _key(session, offer)
    if split.release.is_positive:
        receivables.line_up(session, dossier)
    made = calls.of_split(session, dossier, split, key=key)
    offer.plan = _plan(dossier, ticket, offer, split, made, party, key)
    offer.plan_hash = hashlib.sha256(rfc8785.dumps(offer.plan)).hexdigest()
    audit.become(offer, status, now=now, by=actor)
    offer.ended_at = now
    session.flush()
    _trace(session, actor, "party:offer:accept", dossier, offer, now=now)
    _settle(session, dossier, ticket, offer, split, made, key, now=now)
    return offer


def decline(session: Session, actor: Actor, *, now: datetime, offer_id: int) -> Offer:
    """The other side does not agree; whoever proposed it is told."""
    dossier, ticket, offer = _locked(session, offer_id)
    party = _party(dossier, actor)
    if offer.proposed_by == party.id:
        raise OfferNotYours(who="You", what="decline")
    _end(session, actor, dossier, offer, OfferEvent.DECLINE, now=now)
    dossier.tell(
        session,
        "offer_declined",
        _other(dossier, party),
        key=f"offer-{offer.id}-declined",
        now=now,
        about=("offer", offer.id),
        **_letter_facts(dossier, ticket, offer),
    )
    return offer


def withdraw(session: Session, actor: Actor, *, now: datetime, offer_id: int) -> Offer:
    """Whoever proposed it takes it back."""
    dossier, ticket, offer = _locked(session, offer_id)
    proposer = _party(dossier, actor)
    if offer.proposed_by != proposer.id:
        raise OfferNotYours(who="The other side", what="answer")
    _end(session, actor, dossier, offer, OfferEvent.WITHDRAW, now=now)
    _tell_end(session, dossier, ticket, offer, "offer_withdrawn", _other(dossier, proposer), now=now)
    return offer


def expire(session: Session, *, now: datetime, offer_id: int) -> bool:
    """Its time is over, or its case: returns whether it was still open."""
    dossier, ticket, offer = _locked(session, offer_id)
    if offer.status != OfferStatus.OPEN or (now < offer.expires_at and ticket.resolved_at is None):
        return False
    _end(session, SYSTEM, dossier, offer, OfferEvent.EXPIRE, now=now)
    if ticket.resolved_at is None:
        proposer = session.get_one(Party, offer.proposed_by)
        _tell_end(session, dossier, ticket, offer, "offer_expired", proposer, now=now)
    return True


def _tell_end(
    session: Session,
    dossier: Dossier,
    ticket: Ticket,
    offer: Offer,
    template: str,
    party: Party,
    *,
    now: datetime,
) -> None:
    facts, about = _letter_facts(dossier, ticket, offer), ("offer", offer.id)
    dossier.tell(session, template, party, key=f"offer-{offer.id}-{template}", now=now, about=about, **facts)


def open_offer(session: Session, ticket_id: int) -> Offer | None:
    wanted = select(Offer).where(Offer.ticket_id == ticket_id, Offer.status == OfferStatus.OPEN)
    return session.scalars(wanted).one_or_none()


def _locked(session: Session, offer_id: int) -> tuple[Dossier, Ticket, Offer]:
    plain = session.get(Offer, offer_id)
    if plain is None:
        raise NotFound(kind="offer", id=offer_id)
    dossier, ticket = mediate.locked_ticket(session, plain.ticket_id)
    return dossier, ticket, session.get_one(Offer, offer_id, with_for_update=True, populate_existing=True)


def _party(dossier: Dossier, actor: Actor) -> Party:
    for party in (dossier.payer, dossier.payee):
        if actor.kind == "party" and actor.id == party.id:
            return party
    raise NotYours(actor=actor.label)


def _other(dossier: Dossier, party: Party) -> Party:
    return dossier.payee if party.id == dossier.payer.id else dossier.payer


def _require_undecided(session: Session, ticket: Ticket) -> None:
    mediate.require_open(ticket)
    decide.require_undecided(session, ticket)


def _split(dossier: Dossier, ticket: Ticket, release: Money) -> Split:
    return plan.split_of(dossier, _draft(dossier, ticket, release))


def _draft(dossier: Dossier, ticket: Ticket, release: Money) -> Draft:
    held = dossier.money(dossier.order.held_minor)
    return Draft(
        ticket_id=ticket.id,
        outcome=rules.outcome(release, held),
        ground=Ground.AGREED_SPLIT,
        reasons="",
        release=release,
    )


def _key(session: Session, offer: Offer) -> str:
    count = select(func.count()).where(Offer.ticket_id == offer.ticket_id, Offer.id <= offer.id)
    return f"agreement.{offer.ticket_id}.{session.scalar(count)}"


def _plan(
    dossier: Dossier, ticket: Ticket, offer: Offer, split: Split, made: Calls, by: Party, key: str
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "ticket": ticket.id,
        "milestone": dossier.milestone.id,
        "project": dossier.project.id,
        "offer": offer.id,
        "proposed_by": offer.proposed_by,
        "accepted_by": by.id,
        "outcome": rules.outcome(split.release, dossier.money(dossier.order.held_minor)).value,
        "ground": Ground.AGREED_SPLIT.value,
        **plan.movements(dossier, split, made, key=key, cause=_cause(ticket, dossier, offer)),
    }


def _cause(ticket: Ticket, dossier: Dossier, offer: Offer) -> dict[str, Any]:
    return {"ticket": ticket.id, "milestone": dossier.milestone.id, "offer": offer.id}


def _settle(
    session: Session,
    dossier: Dossier,
    ticket: Ticket,
    offer: Offer,
    split: Split,
    made: Calls,
    key: str,
    *,
    now: datetime,
) -> None:
    outcome = rules.outcome(split.release, dossier.money(dossier.order.held_minor))
    refunded = outcome is DecisionOutcome.FULL_REFUND
    dispute.close(session, SYSTEM, ticket, RESOLUTION, now=now)
    dossier.move(milestones.Event.AGREE_REFUND if refunded else milestones.Event.AGREE_RELEASE, now=now)
    if not refunded:
        dossier.milestone.verified_at = now
        all_of_it = outcome is DecisionOutcome.FULL_RELEASE
        dossier.milestone.outcome = milestones.Outcome.RELEASED if all_of_it else milestones.Outcome.SPLIT
    told = _letter_facts(dossier, ticket, offer)
    moves = {dossier.payer.id: made.refund is not None, dossier.payee.id: made.transfer is not None}
    release.post_split(session, dossier, split, key=key, now=now, cause=_cause(ticket, dossier, offer))
    refunds.request(session, dossier, made.refund, part=split.refund, ground=Ground.AGREED_SPLIT, now=now)
    payouts.withdraw(session, dossier, made, amount=split.release, key=key, now=now)
    for party in (dossier.payer, dossier.payee):
        about = ("offer", offer.id)
        own = {**told, "on_its_way": moves[party.id]}
        dossier.tell(session, "offer_accepted", party, key=f"{key}-{party.id}", now=now, about=about, **own)
    ending.finish(session, dossier, now=now)


def _letter_facts(dossier: Dossier, ticket: Ticket, offer: Offer) -> dict[str, Any]:
    released = Money(offer.release_minor, offer.currency)
    facts = {"released": released, "refunded": Money(offer.refund_minor, offer.currency)}
    if not (offer.refund_minor and dossier.order.held_minor):
        return facts
    return facts | plan_letters.fees(dossier, _split(dossier, ticket, released))


def _end(
    session: Session, actor: Actor, dossier: Dossier, offer: Offer, event: OfferEvent, *, now: datetime
) -> None:
    audit.become(offer, rules.after(offer.status, event), now=now, by=actor)
    offer.ended_at = now
    session.flush()
    kind = "system" if actor.kind == "system" else "party"
    _trace(session, actor, f"{kind}:offer:{event.value.lower()}", dossier, offer, now=now)


def _trace(
    session: Session, actor: Actor, action: str, dossier: Dossier, offer: Offer, *, now: datetime
) -> None:
    dossier.note(
        session,
        actor,
        action,
        now=now,
        about=("offer", offer.id),
        after={
            "status": offer.status,
            "released": Money(offer.release_minor, offer.currency).as_dict(),
            "refunded": Money(offer.refund_minor, offer.currency).as_dict(),
            "plan": offer.plan_hash,
        },
        ticket_id=offer.ticket_id,
        contents=[offer] if action == "party:offer:make" else [],
    )
