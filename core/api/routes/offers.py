"""Offers in a dispute: one party proposes a division, the other accepts or declines it, or it is withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.actions.cases import settlement_proposals
from core.actions.cases.mediator_assignment import CaseClosed
from core.api import lookups
from core.api.http.dependencies import Change, CurrentCaller, ReadSession
from core.api.http.pages import CursorUnfit
from core.api.http.problem_details import CaseDecided
from core.api.models import filters, requests
from core.api.models.responses.offers import OfferAnswer, OffersAnswer
from core.api.openapi.descriptions import refusals
from core.api.routes import lists
from core.api.word_serializers import of_offers
from core.money import AmountNotStripeExact, CurrencyMismatch, UnknownCurrency
from core.records import SettlementProposal
from core.rules.amount_limits import PayoutTooSmall
from core.rules.holds import ReleaseBlocked
from core.rules.permissions import NotYours
from core.rules.settlement_proposals import OfferExpired, OfferNotYours
from core.rules.splits import MoreThanHeld, NothingHeld
from core.rules.transitions import IllegalMove


@dataclass(frozen=True)
class Reply:
    """What a party does with an offer that stands."""

    path: str
    summary: str
    action: Callable[..., SettlementProposal]
    words: str


REPLIES = (
    Reply(
        "accept",
        "Accept an offer",
        settlement_proposals.accept,
        "The other side agrees: the held funds move as proposed, and the dispute is closed.",
    ),
    Reply(
        "decline",
        "Decline an offer",
        settlement_proposals.decline,
        "The other side does not agree; the dispute goes on.",
    ),
    Reply(
        "withdraw", "Withdraw an offer", settlement_proposals.withdraw, "Whoever proposed it withdraws it."
    ),
)
FAILING = (NotYours, OfferNotYours, OfferExpired, IllegalMove, CaseDecided, CaseClosed, ReleaseBlocked)


router = APIRouter(tags=["Offers"])


@router.post(
    "/disputes/{dispute_id}/offers",
    summary="Propose a division",
    status_code=201,
    response_model=OfferAnswer,
    responses=refusals(
        NotYours,
        CaseClosed,
        CaseDecided,
        NothingHeld,
        MoreThanHeld,
        CurrencyMismatch,
        UnknownCurrency,
        AmountNotStripeExact,
        PayoutTooSmall,
    ),
)
def propose_offer(dispute_id: requests.DisputeId, body: requests.Proposal, change: Change) -> Response:
    """Either party proposes how the held funds are divided. An offer that stands is replaced by it, where it is their
    own, or else declined."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.dispute(session, change.caller, dispute_id)
        actor = lookups.actor(session, change.caller, body.party)
        share, note = body.release.money(), body.note
        offer = settlement_proposals.propose(
            session, actor, now=now, case_id=dispute_id, release=share, note=note
        )
        return of_offers(session, [offer])[0]

    return change.once(act)


@router.get(
    "/disputes/{dispute_id}/offers",
    summary="List the offers of a dispute",
    response_model=OffersAnswer,
    responses=refusals(CursorUnfit),
)
def read_offers(
    caller: CurrentCaller,
    session: ReadSession,
    dispute_id: requests.DisputeId,
    asked: Annotated[filters.Offers, Query()],
) -> Response:
    """Every offer in a dispute, the newest first; at most one of them stands."""
    lookups.dispute(session, caller, dispute_id)
    made = select(SettlementProposal).where(SettlementProposal.case_id == dispute_id)
    if asked.status:
        made = made.where(SettlementProposal.status.in_(asked.status))
    return lists.shown(session, made, asked, {"id": SettlementProposal.id}, of_offers)


def _answered(action: Callable[..., SettlementProposal]) -> Callable[..., Response]:
    def answer(offer_id: requests.OfferId, body: requests.ByParty, change: Change) -> Response:
        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            lookups.offer(session, change.caller, offer_id)
            actor = lookups.actor(session, change.caller, body.party)
            return of_offers(session, [action(session, actor, now=now, proposal_id=offer_id)])[0]

        return change.once(act)

    return answer


for reply in REPLIES:
    router.add_api_route(
        f"/offers/{{offer_id}}/{reply.path}",
        _answered(reply.action),
        methods=["POST"],
        name=f"{reply.path}_offer",
        summary=reply.summary,
        description=reply.words,
        response_model=OfferAnswer,
        responses=refusals(*FAILING),
    )
