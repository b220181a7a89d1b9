"""How a payee is paid: the method that they choose, and another one when a payout failed.

(milestone-payment-flow, Key Business Rules 4 and Error Handling 2.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.milestones import parties
from core.actions.payouts import method_offers
from core.actions.payouts.payout_review import OutcomeStillUnknown, PayoutNotInReview
from core.api import lookups, serializers
from core.api.http.dependencies import Change, CurrentCaller, ReadSession, Route
from core.api.models import requests
from core.api.models.responses.parties import PartyAnswer
from core.api.models.responses.payouts import PayoutAnswer
from core.api.money_serializers import of_payouts
from core.api.openapi.descriptions import refusals
from core.policy import WithdrawalMethod
from core.rules.fees import WithdrawalTooSmall
from core.rules.payouts import MethodNotSent
from core.rules.permissions import NotYours

router = APIRouter(route_class=Route, tags=["Payouts"])


@router.post(
    "/withdrawal-method",
    summary="Choose how to be paid",
    response_model=PartyAnswer,
    responses=refusals(NotYours, MethodNotSent),
)
def choose_withdrawal(body: requests.Withdrawal, change: Change) -> Response:
    """The payee's method from now on; each has its fee. What is on its way already goes as it was."""
    method = WithdrawalMethod(body.method)

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        actor = lookups.actor(session, change.caller, body.party)
        party_id = lookups.number_of(actor)
        party = parties.choose_withdrawal(session, actor, now=now, party_id=party_id, method=method)
        return serializers.of_party(session, party)

    return change.once(act)


@router.get("/payouts/{payout_id}", summary="Read a payout", response_model=PayoutAnswer)
def read_payout(caller: CurrentCaller, session: ReadSession, payout_id: requests.PayoutId) -> Response:
    """A withdrawal, its fee, and which other methods are offered since it failed."""
    return JSONResponse(of_payouts(session, [lookups.payout(session, caller, payout_id)])[0])


@router.post(
    "/payouts/{payout_id}/method",
    summary="Choose another method for a failed payout",
    response_model=PayoutAnswer,
    responses=refusals(
        NotYours,
        method_offers.NotOffered,
        MethodNotSent,
        WithdrawalTooSmall,
        PayoutNotInReview,
        OutcomeStillUnknown,
    ),
)
def choose_payout_method(payout_id: requests.PayoutId, body: requests.Withdrawal, change: Change) -> Response:
    """The payee takes one of the methods that staff offered, and is paid by it at once."""
    method = WithdrawalMethod(body.method)

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.payout(session, change.caller, payout_id)
        actor = lookups.actor(session, change.caller, body.party)
        payout = method_offers.choose(session, actor, now=now, payout_id=payout_id, method=method)
        return of_payouts(session, [payout])[0]

    return change.once(act)
