"""The sandbox itself: it keeps what it knows, repeats itself for a seed, and lets no live key in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import stripe
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from core.gateways.payments import LiveKeyElsewhere, NeedsOperator, OutcomeUnknown, ProviderRefused
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_calls import client
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from core.gateways.stripe_sandbox.forms import nested
from core.gateways.stripe_sandbox.store import SandboxInUse
from core.gateways.stripe_sandbox.terms import Terms
from tests.gateways.conftest import NOON, Parties, usd


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:1", "https://api.stripe.com.evil.test", "http://api.stripe.com", ""]
)
def test_a_live_key_goes_to_stripe_or_nowhere(key: str, base: str) -> None:
    with pytest.raises(LiveKeyElsewhere) as refused:
        StripePayments(key, base)
    assert key not in refused.value.message


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
def test_a_live_key_goes_to_stripe(key: str) -> None:
    StripePayments(key, "https://api.stripe.com/")


@pytest.mark.parametrize("key", ["sk_live_x", "whatever", "pk_test_x", ""])
def test_the_sandbox_takes_only_secret_test_keys(sandbox: StripeSandbox, key: str) -> None:
    for method, path in [("GET", "/v1/balance"), ("POST", "/_sandbox/clock")]:
        reply = requests.request(
            method, sandbox.url + path, headers={"Authorization": f"Bearer {key}"}, timeout=5
        )
        assert reply.status_code == 401
        assert reply.json()["error"]["type"] == "invalid_request_error"


def test_a_key_that_is_refused_calls_a_person(sandbox: StripeSandbox) -> None:
    with pytest.raises(NeedsOperator):
        StripePayments("pk_test_x", sandbox.url).balance()


def test_an_account_that_is_not_ours_calls_a_person(payments: StripePayments) -> None:
    with pytest.raises(NeedsOperator):
        payments.payout("p", "p:1", account="acct_unknown", amount=usd(100))


def test_nobody_there_is_an_unknown_outcome() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(OutcomeUnknown):
            StripePayments("sk_test_x", base).balance()


def test_it_listens_on_loopback_only(sandbox: StripeSandbox) -> None:
    assert sandbox.url.startswith("http://127.0.0.1:")


def test_the_same_seed_gives_the_same_ids(tmp_path: Path) -> None:
    def run(folder: str, seed: str) -> list[str]:
        with StripeSandbox(tmp_path / folder, seed=seed) as box:
            box.control.set_clock(NOON)
            parties = Parties(StripePayments(box.key, box.url))
            return [parties.payer().id, parties.payee().id, parties.paid(usd(5_000)).id]

    assert run("a", "one") == run("b", "one") != run("c", "two")


def test_it_remembers_after_a_restart(tmp_path: Path) -> None:
    with StripeSandbox(tmp_path) as box:
        box.control.set_clock(NOON)
        paid = Parties(StripePayments(box.key, box.url)).paid(usd(5_000))
    with StripeSandbox(tmp_path) as box:
        payments = StripePayments(box.key, box.url)
        assert payments.charge_of(paid.id) == paid
        assert box.control.now() == NOON


@pytest.mark.slow
def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "core.gateways.stripe_sandbox"]
        process = subprocess.Popen([*command, "--folder", str(tmp_path), "--port", str(port)])
        SandboxControl(f"http://127.0.0.1:{port}", "sk_test_x").wait(20)
        return process

    payments = StripePayments("sk_test_x", f"http://127.0.0.1:{port}")
    process = start()
    try:
        answered = [Parties(payments).payer().id]
        for number in range(50):
            made = payments.create_customer(f"c{number}", f"c{number}:1", name="x", email="x@example.test")
            answered.append(made.id)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process = start()
        payments = StripePayments("sk_test_x", f"http://127.0.0.1:{port}")
        replayed = payments.create_customer("c49", "c49:1", name="x", email="x@example.test")
        assert replayed.id == answered[-1]
        known = {event.object_id for event in payments.events(datetime(2020, 1, 1, tzinfo=UTC))}
        assert set(answered) <= known
    finally:
        process.kill()
        process.wait()


def test_one_folder_has_one_sandbox(tmp_path: Path) -> None:
    with StripeSandbox(tmp_path), pytest.raises(SandboxInUse):
        StripeSandbox(tmp_path).start()


def test_the_wall_clock_is_followed_until_the_clock_is_set(tmp_path: Path) -> None:
    with StripeSandbox(tmp_path) as box:
        assert abs(box.control.now() - datetime.now(UTC)) < timedelta(seconds=5)
        box.control.set_clock(NOON)
        box.control.advance(timedelta(days=90))
        assert box.control.now() == NOON + timedelta(days=90)
        box.control.follow_wall_clock()
        assert abs(box.control.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_things_happen_at_their_own_time_when_the_clock_leaps(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.funded_payee(usd(5_000))
    out = payments.payout("p", "p:1", account=payee.id, amount=usd(5_000))
    control.advance(timedelta(days=60))
    times = {event.type: event.created - NOON for event in payments.events(NOON, account=payee.id)}
    assert times["payout.updated"] == timedelta(hours=1)
    assert times["payout.paid"] == timedelta(days=2)
    assert payments.payout_by_id(out.id, account=payee.id).status == "paid"


def test_reset_forgets_the_objects(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    paid = parties.paid(usd(5_000))
    control.reset()
    with pytest.raises(ProviderRefused) as refused:
        payments.charge_of(paid.id)
    assert refused.value.provider_code == "resource_missing"


def test_lists_are_paged_newest_first(sandbox: StripeSandbox) -> None:
    v1 = client(sandbox.key, sandbox.url).v1
    made = [v1.customers.create({"name": str(number)}).id for number in range(7)][::-1]
    first = v1.customers.list({"limit": 3})
    assert ([each.id for each in first], first.has_more) == (made[:3], True)
    second = v1.customers.list({"limit": 3, "starting_after": made[2]})
    assert [each.id for each in second] == made[3:6]
    back = v1.customers.list({"limit": 2, "ending_before": made[3]})
    assert ([each.id for each in back], back.has_more) == (made[1:3], True)
    assert [each.id for each in first.auto_paging_iter()] == made


def test_expansion_goes_four_levels_deep_and_no_further(sandbox: StripeSandbox, parties: Parties) -> None:
    paid, v1 = parties.paid(usd(5_000)), client(sandbox.key, sandbox.url).v1
    expand = ["latest_charge.balance_transaction.source.customer"]
    found = v1.payment_intents.retrieve(paid.id, {"expand": expand}).to_dict()
    assert found["latest_charge"]["balance_transaction"]["source"]["customer"]["email"] == "pat@example.test"
    for wrong in (
        ["latest_charge.balance_transaction.source.payment_intent.customer"],
        ["amount"],
        ["nonsense"],
    ):
        with pytest.raises(stripe.InvalidRequestError):
            v1.payment_intents.retrieve(paid.id, {"expand": wrong})


def test_a_fault_hits_the_calls_it_was_ordered_for(payments: StripePayments, control: SandboxControl) -> None:
    control.fault("429", method="GET", path="/v1/balance", times=2, skip=1)
    outcomes = []
    for _ in range(4):
        try:
            payments.balance()
            outcomes.append("fine")
        except OutcomeUnknown as unknown:
            outcomes.append(unknown.facts["status"])
    assert outcomes == ["fine", 429, 429, "fine"]


def test_transactions_of_one_request_are_all_or_nothing(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.payee(bank="btok_us")
    with pytest.raises(ProviderRefused):
        payments.payout("p", "p:1", account=payee.id, amount=usd(5_000))
    assert list(payments.balance_lines(NOON, NOON + timedelta(days=1), account=payee.id)) == []
    assert list(payments.events(NOON, account=payee.id)) == []


LEAF = st.text(max_size=5) | st.integers()
TREES = st.dictionaries(
    st.text("abc_", min_size=1, max_size=4),
    st.booleans()
    | st.recursive(
        LEAF,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.text("abc_", min_size=1, max_size=4), inner, min_size=1, max_size=3)
        ),
    ),
    max_size=4,
)


@given(tree=TREES)
def test_what_the_sdk_encodes_is_read_back(tree: dict[str, Any]) -> None:
    from urllib.parse import parse_qsl

    encoded = urlencode([(key, value) for key, value in _api_encode(tree)])
    assert nested(parse_qsl(encoded, keep_blank_values=True)) == _spelled(tree)


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spelled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("amount", "fee"), [(500, 15), (1_500, 44), (2_500, 73), (499, 14), (1_499, 43), (501, 15)]
)
def test_a_fee_that_ends_in_a_half_is_rounded_up(amount: int, fee: int) -> None:
    """As Stripe's own in 315 of 315 recordings: 2.9 % of 500 is 14.5."""
    for currency in ("usd", "jpy", "kwd"):
        assert Terms(fee_fixed_default=0).fee(amount, currency) == fee


def test_what_was_kept_comes_back_with_its_clock_and_nothing_since(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    control.set_clock(NOON)
    paid = parties.paid(usd(5_000))
    known, heard = control.news(0)
    assert "payment_intent.succeeded" in {each["type"] for each in known}
    control.keep("noon")
    control.advance(timedelta(days=1))
    payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(5_000))
    assert "refund.created" in {each["type"] for each in control.news(heard)[0]}
    control.bring_back("noon")
    assert (control.now(), control.news(heard)) == (NOON, ([], heard))
    assert payments.find_refund("r", payment_intent=paid.id) is None
