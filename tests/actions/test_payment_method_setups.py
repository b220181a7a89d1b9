"""A payer saves a payment method: their bank asks them once, and later charges take it while they are away."""

from __future__ import annotations

from typing import Any

import pytest

from core.actions.funding import fund
from core.actions.milestones.parties import NoAccountYet, NotForThisRole
from core.db import Database
from core.gateways.payments import SetupSnapshot
from core.gateways.stripe_calls import client
from core.processes import provider_accounts, webhook_processing
from core.records import Charge, Notification, Party, PaymentMethodSetup, WebhookEvent
from tests.db_snapshot import nothing_changes
from tests.sandbox_desk import Market

UNLESS_SET_UP = "pm_card_authenticationRequiredOnSetup"


def begun(market: Market) -> SetupSnapshot:
    return provider_accounts.set_up(market.desk, market.payer_id)[1]


def in_the_browser(market: Market, setup: SetupSnapshot, card: str, *, succeeds: bool = True) -> None:
    """The payer gives a card and answers their bank; then Stripe says so."""
    v1 = client(market.sandbox.key, market.sandbox.url).v1
    confirmed = v1.setup_intents.confirm(setup.id, {"payment_method": card})
    if confirmed.status == "requires_action":
        market.control.authenticate(setup.id, succeeds=succeeds)
    hear(market, setup)


def hear(market: Market, setup: SetupSnapshot, times: int = 2) -> None:
    """The event comes, more than once and whatever it says."""

    def store(session: Any) -> None:
        for number in range(times):
            session.add(
                WebhookEvent(
                    id=f"evt_{setup.id}_{market.count(WebhookEvent) + number}",
                    kind="setup_intent.succeeded",
                    object_id=setup.id,
                    payload={"data": {"object": {"id": setup.id, "object": "setup_intent"}}},
                    created_at=market.now,
                    received_at=market.now,
                    next_try_at=market.now,
                )
            )

    market.database.run(store)
    webhook_processing.sweep(market.desk)


def the_setup(market: Market) -> PaymentMethodSetup:
    found = market.all(PaymentMethodSetup)[-1]
    assert isinstance(found, PaymentMethodSetup)
    return found


def test_a_card_that_was_saved_is_charged_later_and_its_bank_does_not_ask_again(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0].id
    setup = begun(market)
    assert (the_setup(market).status, setup.status) == ("OPEN", "requires_payment_method")
    in_the_browser(market, setup, UNLESS_SET_UP)
    saved = the_setup(market)
    assert saved.status == "SAVED"
    assert market.get(Party, market.payer_id).payment_method == saved.payment_method
    market.act(fund.fund, market.payer, milestone_id=first, off_session=True)
    market.work()
    assert [each.status for each in market.all(Charge)] == ["SUCCEEDED"]
    market.lawful()


def test_what_the_bank_refuses_to_save_is_said_and_can_be_tried_again(market: Market) -> None:
    before = market.get(Party, market.payer_id).payment_method
    setup = begun(market)
    in_the_browser(market, setup, UNLESS_SET_UP, succeeds=False)
    row = the_setup(market)
    assert (row.status, row.code) == ("FAILED", "setup_intent_authentication_failure")
    assert row.failure == "The bank could not confirm that it was you. Try again, or pay another way."
    assert market.get(Party, market.payer_id).payment_method == before
    in_the_browser(market, setup, "pm_card_visa")
    assert (the_setup(market).status, the_setup(market).failure) == ("SAVED", None)


def test_a_bank_that_asks_every_time_has_the_payer_come_back(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0].id
    in_the_browser(market, begun(market), "pm_card_authenticationRequired")
    market.act(fund.fund, market.payer, milestone_id=first, off_session=True)
    market.work()
    assert [each.status for each in market.all(Charge)] == ["REQUIRES_ACTION"]
    assert [
        each.party_id for each in market.all(Notification) if each.template == "payment_confirmation"
    ] == [market.payer_id]


def test_a_payee_saves_nothing_and_a_payer_is_known_to_the_provider_first(
    market: Market, owner: Database
) -> None:
    with nothing_changes(owner), pytest.raises(NotForThisRole):
        provider_accounts.set_up(market.desk, market.payee_id)

    def forget(session: Any) -> None:
        session.get_one(Party, market.payer_id).stripe_customer = None

    market.database.run(forget)
    with nothing_changes(owner), pytest.raises(NoAccountYet):
        provider_accounts.set_up(market.desk, market.payer_id)
