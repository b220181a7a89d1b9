"""Parties as the marketplace makes them known, their accounts at the payment provider, and the e-mails they want."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.milestones import parties, preferences
from core.actions.milestones.letters import AddressUnusable
from core.actions.parties.payment_method_setups import MandateRequired
from core.api import lookups, serializers
from core.api.http.dependencies import Change, CurrentCaller, ReadSession, Route
from core.api.http.problem_details import AskedDifferently
from core.api.models import requests
from core.api.models.responses.parties import PartyAnswer, PreferencesAnswer
from core.api.openapi.descriptions import refusals
from core.errors import Wording, another
from core.gateways.payments import NeedsOperator, OutcomeUnknown, ProviderRefused
from core.letters.delivery_rules import MUTABLE, CannotBeMuted, NoSuchKind
from core.money import UnknownCurrency, require_known
from core.policy import WithdrawalMethod
from core.processes import provider_accounts
from core.records import LetterPreference, Party
from core.rules.notifications import Frequency
from core.rules.payouts import MethodNotSent

router = APIRouter(route_class=Route, tags=["Parties"])


@router.post(
    "/parties",
    summary="Make a party known",
    status_code=201,
    response_model=PartyAnswer,
    responses=refusals(AskedDifferently, AddressUnusable, MethodNotSent),
)
def register_party(body: requests.NewParty, change: Change) -> Response:
    """Make a payer or a payee known. The same id again gives the same party if all that is said is as it is stored.

    What differs is refused and named, and what is stored stays.
    """

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        known = body.model_dump() | {"withdrawal_method": WithdrawalMethod(body.withdrawal_method)}
        party = parties.register(session, now=now, platform=change.caller.platform, **known)
        said = body.model_fields_set - {"external_id"}
        if odd := [field for field in known if field in said and getattr(party, field) != known[field]]:
            raise AskedDifferently(
                kind=Wording("Party", "party"), id=body.external_id, what=another(odd), fields=odd
            )
        return serializers.of_party(session, party)

    return change.once(act)


@router.post(
    "/provider-accounts",
    summary="Open a party's account at the payment provider",
    response_model=PartyAnswer,
    responses=refusals(
        OutcomeUnknown,
        NeedsOperator,
        ProviderRefused,
        UnknownCurrency,
        MandateRequired,
        parties.AccountKnownOtherwise,
        parties.NotForThisRole,
    ),
)
def open_provider_account(body: requests.ProviderAccount, change: Change) -> Response:
    """Open what the party needs at the payment provider: a payer can pay, and a payee can be paid, from then on.

    Asked again for the same, it answers with the party. Another card of a payer, or another bank or currency of a
    payee, than the one that is stored is refused and named, and what is stored stays. A payer's bank account is saved
    with a payment method setup, where they agree to debits, and is refused here.
    """
    if (before := change.stored_response()) is not None:
        return before
    require_known(body.currency)
    with change.desk.database.reading() as session:
        party = lookups.party(session, change.caller, body.party)
        parties.require_fitting(party, payment_method=body.payment_method, bank_token=body.bank_token)
        party_id = party.id
    # The provider is asked outside any transaction, under a key of its own: asked twice, it opens one account.
    provider_accounts.open_at_provider(
        change.desk,
        party_id,
        currency=body.currency,
        payment_method=body.payment_method,
        bank_token=body.bank_token,
    )

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        return serializers.of_party(session, lookups.party(session, change.caller, body.party))

    return change.once(act)


@router.post(
    "/email-preferences",
    summary="Choose which e-mails come, and how often",
    response_model=PreferencesAnswer,
    responses=refusals(NoSuchKind, CannotBeMuted),
)
def choose_emails(body: requests.Preferences, change: Change) -> Response:
    """A party chooses for itself. What is urgent comes at once, and what the rules ask for cannot be muted."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        actor = lookups.actor(session, change.caller, body.party)
        number, often = lookups.number_of(actor), body.frequency
        preferences.set(session, actor, now=now, party_id=number, frequency=often, muted=body.muted)
        return _preferences_of(session, lookups.party(session, change.caller, body.party))

    return change.once(act)


@router.get(
    "/email-preferences", summary="Read which e-mails a party wants", response_model=PreferencesAnswer
)
def read_email_preferences(
    caller: CurrentCaller, session: ReadSession, external_id: requests.Named
) -> Response:
    """How often e-mails that are not urgent come to a party, which are muted, and which can be."""
    party = lookups.party(session, caller, external_id, erased_too=True)
    return JSONResponse(_preferences_of(session, party))


def _preferences_of(session: Session, party: Party) -> PreferencesAnswer:
    row = session.get(LetterPreference, party.id)
    return {
        "party": party.external_id,
        "frequency": row.frequency if row else Frequency.TOGETHER,
        "muted": list(row.muted) if row else [],
        "mutable": list(MUTABLE),
        "changed_at": serializers.moment(row.changed_at if row else None),
    }
