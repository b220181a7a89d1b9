"""A payee of the demo changes their bank: what waits for the new one arrives there."""

from __future__ import annotations

from core.demo.payment_scenarios import NEW_BANK
from core.gateways.stripe_sandbox.cards import BANKS


def test_the_new_bank_of_the_demo_takes_money() -> None:
    assert BANKS[NEW_BANK].fails is None
