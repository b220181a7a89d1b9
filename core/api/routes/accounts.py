"""Accounts at the payment provider: where a payee gives what is due."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from core.actions.milestones import parties
from core.api import lookups, serializers
from core.api.http.dependencies import Change
from core.api.models import requests
from core.api.models.responses import AccountLinkAnswer
from core.api.openapi.descriptions import refusals
from core.gateways.payments import NeedsOperator, OutcomeUnknown, ProviderRefused
from core.processes import provider_accounts

router = APIRouter(tags=["Parties"])


@router.post(
    "/account-links",
    summary="Make a link to the payment provider's onboarding",
    status_code=201,
    response_model=AccountLinkAnswer,
    responses=refusals(
        parties.NoAccountYet, parties.NotForThisRole, ProviderRefused, OutcomeUnknown, NeedsOperator
    ),
)
def make_account_link(body: requests.AccountLink, change: Change) -> Response:
    """An address where a payee gives the payment provider what it wants to know, or changes it. The link is good for
    one visit and a few minutes: make it when the payee asks for it, and make another at `refresh_url`.

    It is not kept here: sent again under the same key, the request makes another link.
    """
    with change.desk.database.reading() as session:
        party_id = lookups.party(session, change.caller, body.party).id
    link = provider_accounts.account_link(
        change.desk,
        party_id,
        update=body.type == "update",
        refresh_url=body.refresh_url,
        return_url=body.return_url,
    )
    answer: AccountLinkAnswer = {"url": link.url, "expires_at": serializers.moment(link.expires)}
    return JSONResponse(answer, 201)
