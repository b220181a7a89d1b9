"""Parties as the marketplace makes them known, and their accounts at the payment provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.actions import parties
from core.desk import Desk
from core.door import answers, naming, shapes
from core.door.once import answered, asked, once
from core.door.problems import AskedDifferently
from core.door.replies import PartyAnswer
from core.policy import WithdrawalMethod


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["Parties"])

    @router.post("/parties", status_code=201, response_model=PartyAnswer)
    def register_party(request: Request, body: shapes.NewParty, key: shapes.IdempotencyKey) -> Response:
        """Make a payer or a payee known. The same id with the same role, name and address gives the same party."""

        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            known = body.model_dump() | {"withdrawal_method": WithdrawalMethod(body.withdrawal_method)}
            party = parties.register(session, now=now, platform=request.state.caller.platform, **known)
            for field in ("role", "name", "email"):
                if getattr(party, field) != known[field]:
                    raise AskedDifferently(kind="Party", id=body.external_id, what=field)
            return answers.of_party(party)

        return once(desk, asked(request, key), act, status=201)

    @router.get("/parties", response_model=PartyAnswer)
    def read_party(request: Request, external_id: shapes.Named) -> Response:
        """A party by the platform's own id."""
        with desk.database.reading() as session:
            return JSONResponse(answers.of_party(naming.party(session, request.state.caller, external_id)))

    @router.post("/provider-accounts", response_model=PartyAnswer)
    def open_provider_account(
        request: Request, body: shapes.ProviderAccount, key: shapes.IdempotencyKey
    ) -> Response:
        """Open what the party needs at the payment provider: a payer can pay, and a payee can be paid, from then on."""
        caller, what = request.state.caller, asked(request, key)
        if (before := answered(desk, what)) is not None:
            return before
        with desk.database.reading() as session:
            party_id = naming.party(session, caller, body.party).id
        # The provider is asked outside any transaction, under a key of its own: asked twice, it opens one account.
        parties.open_at_provider(
            desk,
            party_id,
            currency=body.currency,
            payment_method=body.payment_method,
            bank_token=body.bank_token,
        )
        return once(
            desk, what, lambda session, now: answers.of_party(naming.party(session, caller, body.party))
        )

    return router
