"""Accounts at the payment provider: where a payee gives what is due, what is paid with and to from now on, and how a
payer saves what they pay with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.milestones import parties
from core.actions.milestones.letters import AddressUnusable
from core.actions.parties import details
from core.actions.parties.payment_method_setups import MandateRequired
from core.api import lookups, money_serializers, serializers
from core.api.http.dependencies import Change, ChangeRequest, CurrentCaller, ReadSession, Route
from core.api.models import requests
from core.api.models.responses.parties import AccountLinkAnswer, PartyAnswer, SetupAnswer
from core.api.openapi.descriptions import refusals
from core.gateways.payments import NeedsOperator, OutcomeUnknown, ProviderRefused
from core.processes import provider_accounts
from core.rules.payment_method_setups import SetupStatus
from core.rules.permissions import Actor

router = APIRouter(route_class=Route, tags=["Parties"])
AT_PROVIDER = refusals(
    parties.NoAccountYet,
    parties.NotForThisRole,
    ProviderRefused,
    OutcomeUnknown,
    NeedsOperator,
)


@router.post(
    "/payment-method-setups",
    summary="Begin to save a payer's payment method",
    status_code=201,
    response_model=SetupAnswer,
    responses=AT_PROVIDER,
)
def begin_setup(body: requests.ByParty, change: Change) -> Response:
    """A payer saves a card or bank account for charges while they are away; their bank asks them now rather than then.

    They give it in your page, with Stripe's library and the `client_secret`, which is answered once and not kept: sent
    again under the same key, the request begins another. When it is saved, an event says so, and later charges take it.
    """
    with change.desk.database.reading() as session:
        party_id = lookups.party(session, change.caller, body.party).id
    number, made = provider_accounts.set_up(change.desk, party_id)
    answer: SetupAnswer = {
        "id": number,
        "party": body.party,
        "status": SetupStatus.OPEN,
        "client_secret": made.client_secret,
        "decline": None,
    }
    return JSONResponse(answer, 201)


@router.get(
    "/payment-method-setups/{setup_id}", summary="Read how saving a method stands", response_model=SetupAnswer
)
def read_setup(caller: CurrentCaller, session: ReadSession, setup_id: requests.SetupId) -> Response:
    """Whether it is saved, or why the payer's bank refused it last; they can try again with the same secret."""
    row, party = lookups.setup(session, caller, setup_id)
    return JSONResponse(money_serializers.of_setup(row, party))


@router.post(
    "/account-links",
    summary="Make a link to the payment provider's onboarding",
    status_code=201,
    response_model=AccountLinkAnswer,
    responses=AT_PROVIDER,
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


@router.post(
    "/bank-account",
    summary="Replace a payee's bank account",
    response_model=PartyAnswer,
    responses=AT_PROVIDER,
)
def replace_bank_account(body: requests.BankAccount, change: Change) -> Response:
    """Pay out to another bank account from now on, in its currency; what waits for the payee goes there too.

    Payouts to a new bank account wait until `payouts_wait_until`, and the payee is told at the address that they have
    and at those that they had lately: somebody else may have made the change.
    """
    return _first_at_provider(
        change,
        body.party,
        lambda actor, party_id, asked_as: provider_accounts.replace_bank(
            change.desk, party_id, asked_as=asked_as, bank_token=body.bank_token
        ),
    )


@router.post(
    "/payment-method",
    summary="Replace what a payer pays with",
    response_model=PartyAnswer,
    responses=refusals(
        parties.NoAccountYet,
        parties.NotForThisRole,
        MandateRequired,
        ProviderRefused,
        OutcomeUnknown,
        NeedsOperator,
    ),
)
def replace_payment_method(body: requests.PaymentMethod, change: Change) -> Response:
    """Charge another payment method from the next payment on. One that is under way is not changed.

    A bank account is taken only if the payer agreed to debits of it, when it was saved with a payment method setup.
    """
    return _first_at_provider(
        change,
        body.party,
        lambda actor, party_id, asked_as: provider_accounts.replace_payment_method(
            change.desk, actor, party_id, asked_as=asked_as, payment_method=body.payment_method
        ),
    )


@router.post(
    "/party-details",
    summary="Change a party's details",
    response_model=PartyAnswer,
    responses=refusals(
        details.NothingToChange, details.CountryFixed, AddressUnusable, ProviderRefused, OutcomeUnknown
    ),
)
def change_details(body: requests.PartyDetails, change: Change) -> Response:
    """Change name, e-mail address, city, country or language: all that is given, or nothing of it.

    What was there before is kept. A changed e-mail address is told at the old one and at the new one.
    """
    wanted = body.given()
    return _first_at_provider(
        change,
        body.party,
        lambda actor, party_id, asked_as: provider_accounts.tell_contact(
            change.desk, party_id, wanted, asked_as=asked_as
        ),
        lambda session, actor, party_id, now: details.change(
            session, actor, now=now, party_id=party_id, wanted=wanted
        ),
    )


def _first_at_provider(
    change: ChangeRequest,
    party: str,
    tell: Callable[[Actor, int, str], None],
    then: Callable[[Session, Actor, int, datetime], object] | None = None,
) -> Response:
    """Tell the payment provider, then do the rest here in one transaction with the answer, which is the party. What was
    answered already is told to nobody. `tell` is given who acts, their number, and the name of this request of this
    marketplace, whatever others call theirs."""
    if (before := change.stored_response()) is not None:
        return before
    with change.desk.database.reading() as session:
        actor = lookups.actor(session, change.caller, party)
    party_id = lookups.number_of(actor)
    tell(actor, party_id, f"{change.caller.platform} {change.key}")

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        if then is not None:
            then(session, actor, party_id, now)
        return serializers.of_party(session, lookups.party(session, change.caller, party))

    return change.once(act)
