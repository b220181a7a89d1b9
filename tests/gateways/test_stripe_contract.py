"""Adapter and sandbox keep the contract that the installed SDK states: every request, every answer, every route."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from core.gateways.payments import Payments, ProviderRefused
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_calls import client
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from core.gateways.stripe_sandbox.routes import ROUTES
from core.gateways.stripe_sandbox.routes import find as find_route
from tests.gateways import sdk_contract
from tests.gateways.conftest import NOON, Parties, usd
from tests.gateways.stripe_itself import Ground, until

Log = Callable[[], list[dict[str, Any]]]
VERIFIED: Any = {
    "business_type": "individual",
    "individual": {
        "first_name": "Jenny",
        "last_name": "Rosen",
        "dob": {"day": 1, "month": 1, "year": 1902},
        "address": {"line1": "address_full_match", "city": "Reno", "state": "NV", "postal_code": "89501"},
        "id_number": "000000000",
    },
    "tos_acceptance": {"date": int(NOON.timestamp()), "ip": "192.0.2.1"},
}


def every_operation(ground: Ground) -> None:
    """Each method of the port, once or more."""
    payments, parties, run = ground.payments, ground.parties, ground.parties.run
    payee, paid = ground.payee(), parties.paid(usd(100_000))

    def named(op: str) -> tuple[str, str]:
        return f"{run}{op}", f"{run}{op}:1"

    sent = payments.transfer(
        *named("t"), amount=usd(50_000), destination=payee.id, transfer_group="milestone_1",
        source_transaction=paid.charge,
    )  # fmt: skip
    back = payments.reverse_transfer(*named("v"), transfer=sent.id, amount=usd(1_000))
    out = payments.payout(*named("p"), account=payee.id, amount=usd(20_000), method=ground.method)
    gone = payments.refund(
        *named("r"), payment_intent=paid.id, amount=usd(500), reason="requested_by_customer"
    )
    payments.replace_bank(*named("b"), account=payee.id, bank_token="btok_us_verified")
    addresses = {"refresh_url": "https://market.test/again", "return_url": "https://market.test/done"}
    payments.account_link(named("l")[1], account=payee.id, update=True, **addresses)
    with pytest.raises(ProviderRefused):
        parties.paid(usd(700), card="pm_card_visa_chargeDeclined")
    disputed = parties.paid(usd(9_000), card="pm_card_createDispute", group="milestone_2")

    def dispute_of() -> str | None:
        lines = payments.balance_lines(ground.since, ground.since + timedelta(days=1))
        return next((line.source for line in lines if line.reporting_category == "dispute"), None)

    dispute = until(dispute_of)
    file = payments.upload_evidence(named("f")[1], filename="terms.pdf", content=b"%PDF-1.7")
    evidence = {"refund_policy": file}
    payments.submit_evidence(*named("e"), dispute=dispute, evidence=evidence, submit=False)
    payments.accept_dispute(named("a")[1], dispute=dispute)
    payments.find_charge(f"{run}op3", transfer_group="milestone_1")
    assert payments.find_refund(named("r")[0], payment_intent=paid.id) is not None
    group = {"transfer_group": "milestone_1", "destination": payee.id}
    assert payments.find_transfer(named("t")[0], **group) is not None
    assert payments.find_reversal(named("v")[0], transfer=sent.id) is not None
    assert payments.find_payout(named("p")[0], account=payee.id, created_from=ground.since) is not None
    payments.charge_of(disputed.id)
    payments.refund_by_id(gone.id)
    payments.transfer_by_id(sent.id)
    payments.reversal_by_id(sent.id, back.id)
    payments.payout_by_id(out.id, account=payee.id)
    payments.dispute_by_id(dispute)
    asked = payments.charge(
        "q", "q:1", amount=usd(900), customer=str(paid.customer), payment_method="pm_card_authenticationRequired",
        transfer_group="milestone_3", description="Asked", off_session=False, return_url="https://market.example/",
    )  # fmt: skip
    payments.cancel_charge("q:1:cancel", payment_intent=asked.id)
    payments.cancel_charge("q:1:again", payment_intent=paid.id)
    payments.set_up_of(payments.set_up("s", "s:1", customer=str(paid.customer)).id)
    payments.payee_account(payee.id)
    payments.balance()
    payments.available(account=payee.id)
    ground.pass_time(timedelta(days=3))
    list(payments.events(ground.since))
    list(payments.events(ground.since, account=payee.id))


def in_sandbox(payments: StripePayments, parties: Parties, control: SandboxControl) -> Ground:
    return Ground(payments, parties, NOON, parties.payee, "instant", control.advance)


def every_other_route(sandbox: StripeSandbox) -> None:
    """The routes that the adapter does not need, straight through the SDK."""
    v1 = client(sandbox.key, sandbox.url).v1
    customer = v1.customers.create({"name": "Sam"})
    v1.customers.update(customer.id, {"email": "sam@example.test"})
    v1.customers.retrieve(customer.id)
    v1.customers.list({"limit": 1})
    method = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    v1.payment_methods.attach(method.id, {"customer": customer.id})
    v1.payment_methods.retrieve(method.id)
    v1.payment_methods.list({"customer": customer.id})
    intent = v1.payment_intents.create({"amount": 900, "currency": "usd", "customer": customer.id})
    v1.payment_intents.update(intent.id, {"metadata": {"note": "x"}})
    v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_pendingRefund"})
    other = v1.payment_intents.create({"amount": 900, "currency": "usd"})
    v1.payment_intents.cancel(other.id)
    listed = v1.payment_intents.list({"customer": customer.id})
    assert [each.id for each in listed] == [intent.id]
    sandbox.control.advance(timedelta(days=3))
    charge = v1.charges.list({"payment_intent": intent.id}).data[0]
    v1.charges.retrieve(charge.id, {"expand": ["balance_transaction", "customer"]})
    refund = v1.refunds.create({"charge": charge.id, "amount": 100})
    v1.refunds.update(refund.id, {"metadata": {"note": "x"}})
    sandbox.control.move_refund(refund.id, "requires_action")
    v1.refunds.cancel(refund.id)
    v1.balance_transactions.retrieve(str(charge.balance_transaction))
    account = v1.accounts.create({"country": "US", "capabilities": {"transfers": {"requested": True}}})
    bank = v1.accounts.external_accounts.create(account.id, {"external_account": "btok_us"})
    v1.accounts.update(account.id, VERIFIED)
    v1.accounts.external_accounts.retrieve(account.id, bank.id)
    v1.accounts.external_accounts.list(account.id)
    v1.accounts.list()
    transfer = v1.transfers.create({"amount": 500, "currency": "usd", "destination": account.id})
    v1.transfers.update(transfer.id, {"description": "x"})
    mine: stripe.RequestOptions = {"stripe_account": account.id}
    payout = v1.payouts.create({"amount": 100, "currency": "usd"}, mine)
    v1.payouts.update(payout.id, {"metadata": {"note": "x"}}, mine)
    v1.payouts.cancel(payout.id, {}, mine)
    v1.disputes.list()
    v1.files.list()
    v1.files.retrieve(v1.files.list().data[0].id)
    v1.events.retrieve(v1.events.list({"types": ["charge.succeeded"]}).data[0].id)
    asking(v1, sandbox.control)
    v1.customers.delete(customer.id)


AGREED = {"customer_acceptance": {"type": "offline", "offline": {}}}


def asking(v1: Any, control: SandboxControl) -> None:
    """Cards whose bank asks, debits that take days, and what is saved for later."""
    customer = v1.customers.create({"name": "Sam"}).id
    about = {"amount": 900, "currency": "eur", "customer": customer, "confirm": True}
    for method, more in (
        ("pm_card_authenticationRequired", {"return_url": "https://market.example/back"}),
        ("pm_card_authenticationRequired", {}),
        ("pm_usBankAccount_success", {"currency": "usd", "mandate_data": AGREED}),
        ("pm_usBankAccount_noAccount", {"currency": "usd", "mandate_data": AGREED}),
    ):
        intent = v1.payment_intents.create({**about, **more, "payment_method": method})
        if intent.status == "requires_action":
            control.authenticate(intent.id, succeeds=bool(more))
        v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    iban = {"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"}}
    debit = v1.payment_methods.create(
        {**iban, "billing_details": {"name": "Sam", "email": "sam@example.test"}}
    )
    v1.payment_intents.create({**about, "payment_method": debit.id, "mandate_data": AGREED})
    for succeeds in (True, False):
        setup = v1.setup_intents.create({"customer": customer, "usage": "off_session"})
        v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_authenticationRequiredOnSetup"})
        control.authenticate(setup.id, succeeds=succeeds)
        v1.setup_intents.retrieve(setup.id)
    v1.setup_intents.cancel(v1.setup_intents.create({"customer": customer}).id)
    v1.setup_intents.list({"customer": customer})


@pytest.fixture
def everything(
    sandbox: StripeSandbox, payments: StripePayments, parties: Parties, control: SandboxControl, log: Log
) -> list[dict[str, Any]]:
    every_operation(in_sandbox(payments, parties, control))
    every_other_route(sandbox)
    return log()


def require_as_declared(entries: list[dict[str, Any]]) -> None:
    """Every request and every answer is what the SDK says."""
    faults = {
        f"{entry['method']} {entry['path']} ({entry['status']}): {fault}"
        for entry in entries
        for fault in [*sdk_contract.request_faults(entry), *sdk_contract.answer_faults(entry)]
    }
    assert not faults, "\n".join(sorted(faults))


def require_our_key(entries: list[dict[str, Any]]) -> None:
    """Whatever changes something carries our key, and what moves money says so in its metadata."""
    posts = [entry for entry in entries if entry["method"] == "POST"]
    assert posts
    assert all(":1" in str(entry["idempotency_key"]) for entry in posts)
    marked = [entry["body"] for entry in posts if "amount" in entry["body"]]
    assert all(body["metadata"]["op"] == body["metadata"]["key"].split(":")[0] for body in marked)


def test_every_request_and_every_answer_is_as_the_sdk_declares(everything: list[dict[str, Any]]) -> None:
    require_as_declared(everything)


def test_every_route_of_the_sandbox_is_in_the_sdk_and_was_used(everything: list[dict[str, Any]]) -> None:
    known = {(each.method, _shape(each.template)) for each in sdk_contract.routes()}
    assert not [route for route in ROUTES if (route.method, _shape(route.path)) not in known]
    used = {found[0] for entry in everything if (found := find_route(entry["method"], entry["path"]))}
    assert not [f"{route.method} {route.path}" for route in ROUTES if route not in used]


def test_every_parameter_class_of_a_route_is_the_one_the_sdk_uses_there() -> None:
    sdk = {(each.method, _shape(each.template)): each.params for each in sdk_contract.routes()}
    assert not [
        (route.path, route.params, sdk[route.method, _shape(route.path)])
        for route in ROUTES
        if route.params != sdk[route.method, _shape(route.path)]
    ]


def test_the_adapter_has_every_operation_of_the_port_with_the_same_parameters() -> None:
    for name, wanted in inspect.getmembers(Payments, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(StripePayments, name)) == inspect.signature(wanted), name


def test_every_call_that_changes_something_carries_our_key(
    payments: StripePayments, parties: Parties, control: SandboxControl, log: Log
) -> None:
    every_operation(in_sandbox(payments, parties, control))
    require_our_key(log())


def test_a_wrong_answer_would_be_found(everything: list[dict[str, Any]]) -> None:
    entry = next(each for each in everything if each["path"] == "/v1/transfers" and each["method"] == "POST")
    broken = {**entry, "response": {**entry["response"], "amount": "12", "surprise": 1}}
    del broken["response"]["livemode"]
    assert {fault.split(".", 1)[1] for fault in sdk_contract.answer_faults(broken)} == {
        "amount is '12', not int",
        "surprise is not declared",
        "livemode is missing",
    }
    wrong = {**entry, "body": {**entry["body"], "amount": "1.5", "color": "red"}}
    del wrong["body"]["currency"]
    assert len(sdk_contract.request_faults(wrong)) == 3


def test_the_folder_holds_the_log_and_nothing_secret(
    parties: Parties, sandbox: StripeSandbox, log: Log
) -> None:
    parties.payer()
    assert sandbox.key not in Path(sandbox.folder / "stripe-sandbox.jsonl").read_text()
    wanted = {
        "at",
        "method",
        "path",
        "query",
        "body",
        "idempotency_key",
        "account",
        "status",
        "response",
        "request_id",
    }
    assert all(wanted <= entry.keys() for entry in log())


def _shape(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
