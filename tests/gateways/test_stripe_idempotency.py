"""Exactly once: a key replays its first answer, a forgotten key is caught by looking for our operation id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import stripe

from core.gateways.payments import NeedsOperator, OutcomeUnknown, ProviderRefused, TransferSnapshot
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_calls import client
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from tests.gateways.conftest import NOON, Parties, usd

DAY = timedelta(days=1)


def send(payments: StripePayments, payee: str, key: str = "op:1", minor: int = 5_000) -> TransferSnapshot:
    return payments.transfer("op", key, amount=usd(minor), destination=payee, transfer_group="milestone_9")


@pytest.fixture
def payee(parties: Parties, control: SandboxControl) -> str:
    control.add_float(100_000, "usd")
    return parties.payee().id


def held_by(payments: StripePayments, payee: str) -> int:
    return sum(money.minor for money in payments.balance(account=payee).values())


def test_the_same_key_gives_the_same_answer_and_does_it_once(payments: StripePayments, payee: str) -> None:
    assert send(payments, payee) == send(payments, payee)
    assert held_by(payments, payee) == 5_000


def test_the_same_key_with_another_amount_calls_a_person(payments: StripePayments, payee: str) -> None:
    send(payments, payee)
    with pytest.raises(NeedsOperator):
        send(payments, payee, minor=5_001)
    assert held_by(payments, payee) == 5_000


def test_the_same_key_at_another_address_calls_a_person(payments: StripePayments, payee: str) -> None:
    sent = send(payments, payee)
    with pytest.raises(NeedsOperator):
        payments.reverse_transfer("op", "op:1", transfer=sent.id, amount=usd(5_000))


def test_many_at_once_with_one_key_do_it_once(payments: StripePayments, payee: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        sent = list(threads.map(lambda _: send(payments, payee).id, range(24)))
    assert len(set(sent)) == 1
    assert held_by(payments, payee) == 5_000


def test_another_key_does_it_again(payments: StripePayments, payee: str) -> None:
    assert send(payments, payee, "op:1").id != send(payments, payee, "op:2").id
    assert held_by(payments, payee) == 10_000


def test_a_500_is_replayed_for_its_key_even_when_the_work_was_done(
    payments: StripePayments, payee: str, control: SandboxControl
) -> None:
    control.fault("500", path="/v1/transfers", method="POST", when="after")
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            send(payments, payee)
    assert held_by(payments, payee) == 5_000
    found = payments.find_transfer("op", transfer_group="milestone_9", destination=payee)
    assert found is not None
    assert found.key == "op:1"


def test_a_500_before_the_work_leaves_nothing_to_find(
    payments: StripePayments, payee: str, control: SandboxControl
) -> None:
    control.fault("500", path="/v1/transfers", method="POST")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            send(payments, payee)
    assert payments.find_transfer("op", transfer_group="milestone_9", destination=payee) is None
    assert held_by(payments, payee) == 0


@pytest.mark.parametrize("kind", ["429", "409"])
def test_being_refused_for_load_is_not_kept(
    payments: StripePayments, payee: str, control: SandboxControl, kind: str
) -> None:
    control.fault(kind, path="/v1/transfers")
    with pytest.raises(OutcomeUnknown):
        send(payments, payee)
    assert send(payments, payee).amount == usd(5_000)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "timeout"])
def test_a_lost_connection_is_settled_by_the_same_key(
    sandbox: StripeSandbox, payee: str, control: SandboxControl, kind: str, when: str
) -> None:
    payments = StripePayments(sandbox.key, sandbox.url, patience=(1, 0.3))
    control.fault(kind, path="/v1/transfers", method="POST", when=when, seconds=1)
    with pytest.raises(OutcomeUnknown):
        send(payments, payee)
    found = payments.find_transfer("op", transfer_group="milestone_9", destination=payee)
    assert (found is not None) is (when == "after")
    again = send(payments, payee)
    assert found in (None, again)
    assert held_by(payments, payee) == 5_000


def test_a_forgotten_key_would_pay_twice_and_the_operation_id_shows_it(
    payments: StripePayments, payee: str, control: SandboxControl
) -> None:
    first = send(payments, payee)
    control.advance(DAY + timedelta(seconds=1))
    found = payments.find_transfer("op", transfer_group="milestone_9", destination=payee)
    assert found is not None
    assert found.id == first.id
    second = send(payments, payee)
    assert second.id != first.id
    assert held_by(payments, payee) == 10_000
    found = payments.find_transfer("op", transfer_group="milestone_9", destination=payee)
    assert found is not None
    assert found.id == first.id, "the oldest is the one that was meant"


def test_a_key_lives_for_a_day(payments: StripePayments, payee: str, control: SandboxControl) -> None:
    first = send(payments, payee)
    control.advance(DAY - timedelta(seconds=1))
    assert send(payments, payee).id == first.id


def test_a_refusal_in_the_present_state_is_kept_for_its_key(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.payee().id
    with pytest.raises(ProviderRefused) as refused:
        send(payments, payee)
    assert refused.value.provider_code == "balance_insufficient"
    control.add_float(100_000, "usd")
    with pytest.raises(ProviderRefused):
        send(payments, payee)
    assert send(payments, payee, "op:2").amount == usd(5_000)


def test_wrong_parameters_are_not_kept(sandbox: StripeSandbox) -> None:
    v1 = client(sandbox.key, sandbox.url).v1
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.customers.create({"surname": "x"}, {"idempotency_key": "k"})  # type: ignore[typeddict-unknown-key]
    assert refused.value.code == "parameter_unknown"
    assert v1.customers.create({"name": "x"}, {"idempotency_key": "k"}).name == "x"


def test_keys_of_different_accounts_do_not_meet(payments: StripePayments, parties: Parties) -> None:
    one, two = parties.funded_payee(usd(9_000)), parties.funded_payee(usd(9_000))
    outs = {payments.payout("op", "op:1", account=each.id, amount=usd(4_000)).id for each in (one, two)}
    assert len(outs) == 2


def test_a_new_attempt_after_a_decline_is_found_before_the_declined_one(
    payments: StripePayments, parties: Parties
) -> None:
    payer = parties.payer().id
    terms = {"amount": usd(5_000), "customer": payer, "transfer_group": "milestone_9", "description": "x"}
    with pytest.raises(ProviderRefused) as refused:
        payments.charge("op", "op:1", payment_method="pm_card_visa_chargeDeclinedInsufficientFunds", **terms)  # type: ignore[arg-type]
    assert refused.value.provider_code == "insufficient_funds"
    dead = payments.find_charge("op", transfer_group="milestone_9")
    assert dead is not None
    assert (dead.lost, dead.key, dead.failure_code) == (True, "op:1", "insufficient_funds")
    paid = payments.charge("op", "op:2", payment_method="pm_card_visa", **terms)  # type: ignore[arg-type]
    assert payments.find_charge("op", transfer_group="milestone_9") == paid


def test_a_look_up_reads_to_the_last_page(payments: StripePayments, parties: Parties) -> None:
    payee = parties.funded_payee(usd(900_000))
    wanted = payments.payout("wanted", "wanted:1", account=payee.id, amount=usd(100))
    for number in range(103):
        payments.payout(f"p{number}", f"p{number}:1", account=payee.id, amount=usd(100))
    assert payments.find_payout("wanted", account=payee.id, created_from=NOON) == wanted
    assert payments.find_payout("never", account=payee.id, created_from=NOON) is None
