"""How a payee is paid: the method that they choose, and another one when a payout failed.

(milestone-payment-flow, Key Business Rules 4 and Error Handling 2.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.actions.milestones import parties
from core.actions.payouts import method_offers
from core.actions.payouts.payout_review import OutcomeStillUnknown, PayoutNotInReview, open_offer
from core.api import lookups, serializers
from core.api.http.idempotency import fingerprint, once
from core.api.models import requests
from core.api.models.responses import PartyAnswer, PayoutAnswer
from core.api.openapi.descriptions import refusals
from core.desk import Desk
from core.policy import WithdrawalMethod
from core.records import Payout
from core.rules.permissions import NotYours


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["Payouts"])
    _choosing(desk, router)

    @router.get("/payouts/{payout_id}", summary="Read a payout", response_model=PayoutAnswer)
    def read_payout(request: Request, payout_id: requests.PayoutId) -> Response:
        """A withdrawal, its fee, and which other methods are offered since it failed."""
        with desk.database.reading() as session:
            return JSONResponse(of_payout(session, lookups.payout(session, request.state.caller, payout_id)))

    @router.post(
        "/payouts/{payout_id}/method",
        summary="Choose another method for a failed payout",
        response_model=PayoutAnswer,
        responses=refusals(NotYours, method_offers.NotOffered, PayoutNotInReview, OutcomeStillUnknown),
    )
    def choose_payout_method(
        request: Request,
        payout_id: requests.PayoutId,
        body: requests.Withdrawal,
        key: requests.IdempotencyKey,
    ) -> Response:
        """The payee takes one of the methods that staff offered, and is paid by it at once."""
        caller, method = request.state.caller, WithdrawalMethod(body.method)

        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            lookups.payout(session, caller, payout_id)
            actor = lookups.actor(session, caller, body.party)
            payout = method_offers.choose(session, actor, now=now, payout_id=payout_id, method=method)
            return of_payout(session, payout)

        return once(desk, fingerprint(request, key), act)

    return router


def _choosing(desk: Desk, router: APIRouter) -> None:
    @router.post(
        "/withdrawal-method",
        summary="Choose how to be paid",
        response_model=PartyAnswer,
        responses=refusals(NotYours),
    )
    def choose_withdrawal(
        request: Request, body: requests.Withdrawal, key: requests.IdempotencyKey
    ) -> Response:
        """The payee's method from now on; each has its fee. What is on its way already goes as it was."""
        caller, method = request.state.caller, WithdrawalMethod(body.method)

        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            actor = lookups.actor(session, caller, body.party)
            party_id = lookups.number_of(actor)
            party = parties.choose_withdrawal(session, actor, now=now, party_id=party_id, method=method)
            return serializers.of_party(session, party)

        return once(desk, fingerprint(request, key), act)


def of_payout(session: Session, row: Payout) -> PayoutAnswer:
    offer = open_offer(session, row.id)
    return {
        "id": row.id,
        "milestone": row.milestone_id,
        "payee": serializers.known_as(session, row.party_id),
        "amount": serializers.money(row.amount_minor, row.currency),
        "fee": serializers.money(row.fee_minor, row.currency),
        "method": row.method,
        "status": row.status,
        "failure": row.failure,
        "offered": list(offer.methods) if offer else [],
        "requested_at": serializers.moment(row.requested_at),
        "arrival_at": serializers.moment(row.arrival_at),
        "paid_at": serializers.moment(row.paid_at),
    }
