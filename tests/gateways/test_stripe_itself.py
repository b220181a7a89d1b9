"""The same contract against Stripe itself, in test mode: `make stripe-test STRIPE_API_KEY=sk_test_…`.

Skipped without a key. What the sandbox assumes besides, and how to try it by hand, is in docs/stripe.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from tests.gateways import stripe_itself
from tests.gateways.conftest import Parties
from tests.gateways.stripe_itself import NO_KEY, NoTestKey
from tests.gateways.test_stripe_contract import (
    VERIFIED,
    every_operation,
    in_sandbox,
    require_as_declared,
    require_our_key,
)


@pytest.fixture(scope="module")
def at_stripe() -> Iterator[list[dict[str, Any]]]:
    """Everything once, and what was said."""
    if not (key := stripe_itself.key()):
        pytest.skip(NO_KEY)
    with stripe_itself.recording() as recorder:
        every_operation(stripe_itself.ground(key, VERIFIED))
        yield recorder.entries


def test_stripe_answers_as_its_sdk_declares(at_stripe: list[dict[str, Any]]) -> None:
    require_as_declared(at_stripe)


def test_stripe_was_told_our_key_with_every_change(at_stripe: list[dict[str, Any]]) -> None:
    # The test itself gives the payee's details, which the adapter leaves to Stripe's own pages.
    details = [each for each in at_stripe if "individual" in each["body"]]
    require_our_key([each for each in at_stripe if each not in details])


@pytest.mark.parametrize("given", ["sk_live_51abc", "rk_live_x", "pk_test_x", "whsec_x", "nonsense"])
def test_a_key_that_is_not_of_test_mode_is_refused(given: str) -> None:
    with pytest.raises(NoTestKey, match="no key of test mode"):
        stripe_itself.key({"STRIPE_API_KEY": given})


@pytest.mark.parametrize("given", ["sk_test_51abc", "rk_test_x", "", "  "])
def test_a_test_key_is_taken_and_none_skips(given: str) -> None:
    assert stripe_itself.key({"STRIPE_API_KEY": given}) == given.strip()


def test_the_recorder_writes_what_the_sandbox_writes(sandbox: StripeSandbox, control: SandboxControl) -> None:
    """So that what is checked of Stripe is what was checked of the sandbox, and the key is nowhere in it."""
    with stripe_itself.recording() as recorder:
        payments = StripePayments(sandbox.key, sandbox.url)
        every_operation(in_sandbox(payments, Parties(payments, run="r-"), control))
    require_as_declared(recorder.entries)
    require_our_key(recorder.entries)
    assert len({each["path"] for each in recorder.entries}) > 15
    assert sandbox.key not in str(recorder.entries)
