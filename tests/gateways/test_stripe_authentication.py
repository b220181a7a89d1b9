"""Cards whose bank asks the customer, and debits that are known days later: as Stripe documents its test values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
import stripe

from core.gateways.stripe_calls import client
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from tests import patience

ALWAYS = "pm_card_authenticationRequired"
UNLESS_SET_UP = "pm_card_authenticationRequiredOnSetup"


@pytest.fixture
def v1(sandbox: StripeSandbox) -> Any:
    return client(sandbox.key, sandbox.url).v1


def pay(v1: Any, method: str, **more: Any) -> Any:
    customer = more.pop("customer", None) or v1.customers.create({"name": "Sam"}).id
    about = {
        "amount": 900,
        "currency": "usd",
        "customer": customer,
        "payment_method": method,
        "confirm": True,
    }
    return v1.payment_intents.create({**about, **more})


def told(v1: Any) -> list[str]:
    return [each.type for each in v1.events.list({"limit": 100}).data][::-1]


def test_a_card_whose_bank_asks_waits_for_the_customer_and_is_paid_when_they_answer(
    v1: Any, control: SandboxControl
) -> None:
    intent = pay(v1, ALWAYS)
    assert (intent.status, intent.next_action["type"], intent.latest_charge) == (
        "requires_action",
        "use_stripe_sdk",
        None,
    )
    assert intent.client_secret
    assert control.authenticate(intent.id) == "succeeded"
    paid = v1.payment_intents.retrieve(intent.id)
    assert (paid.next_action, paid.amount_received) == (None, 900)
    assert [each for each in told(v1) if each.startswith("payment_intent")] == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]


def test_where_the_customer_can_be_sent_back_there_is_a_page(v1: Any) -> None:
    action = pay(v1, ALWAYS, return_url="https://market.example/back").next_action
    assert action["type"] == "redirect_to_url"
    assert action["redirect_to_url"]["return_url"] == "https://market.example/back"
    assert "$9.00" in requests.get(action["redirect_to_url"]["url"], timeout=patience.SECONDS).text


def test_a_customer_who_is_not_authenticated_has_not_paid(v1: Any, control: SandboxControl) -> None:
    intent = pay(v1, ALWAYS)
    assert control.authenticate(intent.id, succeeds=False) == "requires_payment_method"
    failed = v1.payment_intents.retrieve(intent.id)
    assert failed.last_payment_error["code"] == "payment_intent_authentication_failure"
    assert told(v1)[-1] == "payment_intent.payment_failed"
    with pytest.raises(Exception, match="could not be authenticated"):
        control.authenticate(intent.id)


def test_off_session_such_a_card_is_refused_and_the_customer_can_come_back(
    v1: Any, control: SandboxControl
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        pay(v1, ALWAYS, off_session=True)
    assert refused.value.code == "authentication_required"
    intent = (refused.value.json_body or {})["error"]["payment_intent"]
    assert (intent["status"], intent["last_payment_error"]["code"]) == (
        "requires_payment_method",
        "authentication_required",
    )
    assert control.authenticate(intent["id"]) == "succeeded"


def test_a_card_that_is_short_of_money_says_so_after_the_customer_answered(
    v1: Any, control: SandboxControl
) -> None:
    intent = pay(v1, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
    assert intent.status == "requires_action"
    assert control.authenticate(intent.id) == "requires_payment_method"
    assert v1.payment_intents.retrieve(intent.id).last_payment_error["decline_code"] == "insufficient_funds"


def test_a_card_that_was_set_up_is_not_asked_again_off_session(v1: Any, control: SandboxControl) -> None:
    customer = v1.customers.create({"name": "Sam"}).id
    setup = v1.setup_intents.create({"customer": customer, "usage": "off_session"})
    asked = v1.setup_intents.confirm(setup.id, {"payment_method": UNLESS_SET_UP})
    assert asked.status == "requires_action"
    assert control.authenticate(setup.id) == "succeeded"
    saved = v1.setup_intents.retrieve(setup.id).payment_method
    assert v1.payment_methods.retrieve(saved).customer == customer
    assert pay(v1, saved, customer=customer, off_session=True).status == "succeeded"
    with pytest.raises(stripe.CardError):
        pay(v1, UNLESS_SET_UP, off_session=True)
    assert pay(v1, "pm_card_authenticationRequiredSetupForOffSession", off_session=True).status == "succeeded"
    assert "setup_intent.succeeded" in told(v1)


AGREED = {"customer_acceptance": {"type": "offline", "offline": {}}}


def test_a_debit_needs_the_customers_agreement_now_or_when_it_was_saved(v1: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="requires a mandate") as refused:
        pay(v1, "pm_usBankAccount_success")
    assert refused.value.json_body["error"]["payment_intent"]["status"] == "requires_confirmation"
    customer = v1.customers.create({"name": "Sam"}).id
    setup = v1.setup_intents.create({"customer": customer, "usage": "off_session"})
    saved = v1.setup_intents.confirm(setup.id, {"payment_method": "pm_usBankAccount_success"}).payment_method
    assert pay(v1, saved, customer=customer, off_session=True).status == "processing"


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [
        ("pm_usBankAccount_success", "succeeded", None),
        ("pm_usBankAccount_insufficientFunds", "requires_payment_method", "insufficient_funds"),
        ("pm_usBankAccount_noAccount", "requires_payment_method", "no_account"),
    ],
)
def test_a_debit_is_processing_until_the_bank_has_answered_days_later(
    v1: Any, control: SandboxControl, method: str, status: str, code: str | None
) -> None:
    intent = pay(v1, method, mandate_data=AGREED)
    assert (intent.status, v1.charges.retrieve(intent.latest_charge).status) == ("processing", "pending")
    assert v1.balance_transactions.list().data == []
    for verb in (v1.payment_intents.cancel, v1.payment_intents.confirm):
        with pytest.raises(stripe.InvalidRequestError):
            verb(intent.id)
    control.advance(timedelta(days=3))
    assert v1.payment_intents.retrieve(intent.id).status == "processing"
    control.advance(timedelta(days=2))
    after = v1.payment_intents.retrieve(intent.id)
    assert after.status == status
    assert (after.last_payment_error and after.last_payment_error.code) == code
    assert len(v1.balance_transactions.list().data) == (1 if code is None else 0)
    assert f"payment_intent.{'succeeded' if code is None else 'payment_failed'}" in told(v1)
