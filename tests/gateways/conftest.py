"""A Stripe sandbox as new for each test, on a clock that stands still, and the adapter that talks to it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from core.gateways.payments import ChargeSnapshot, CustomerSnapshot, PayeeAccountSnapshot
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from core.money import Money

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with StripeSandbox(tmp_path_factory.mktemp("stripe"), seed="test") as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: StripeSandbox) -> StripeSandbox:
    running_sandbox.control.reset()
    running_sandbox.control.set_clock(NOON)
    running_sandbox.control.webhooks(auto=False)
    return running_sandbox


@pytest.fixture
def control(sandbox: StripeSandbox) -> SandboxControl:
    return sandbox.control


@pytest.fixture
def payments(sandbox: StripeSandbox) -> StripePayments:
    return StripePayments(sandbox.key, sandbox.url)


@dataclass
class Parties:
    """A payer, payees and payments, each made with one call and an operation id of its own."""

    payments: StripePayments
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    run: str = ""  # at Stripe itself a key of yesterday is still known

    def op(self) -> tuple[str, str]:
        number = next(self.numbers)
        return f"{self.run}op{number}", f"{self.run}op{number}:1"

    def payer(self) -> CustomerSnapshot:
        return self.payments.create_customer(*self.op(), name="Pat Payer", email="pat@example.test")

    def payee(
        self, bank: str = "btok_us", currency: str = "USD", country: str = "US"
    ) -> PayeeAccountSnapshot:
        return self.payments.create_payee_account(
            *self.op(), email="kim@example.test", country=country, currency=currency, bank_token=bank
        )

    def paid(
        self, amount: Money, card: str = "pm_card_bypassPending", group: str = "milestone_1"
    ) -> ChargeSnapshot:
        return self.payments.charge(
            *self.op(),
            amount=amount,
            customer=self.payer().id,
            payment_method=card,
            transfer_group=group,
            description="Milestone 1",
        )

    def funded_payee(self, amount: Money, bank: str = "btok_us") -> PayeeAccountSnapshot:
        """A payee whose account holds this much, ready to be paid out."""
        payee, paid = self.payee(bank), self.paid(amount)
        self.payments.transfer(
            *self.op(), amount=amount, destination=payee.id, transfer_group="milestone_1",
            source_transaction=paid.charge,
        )  # fmt: skip
        return payee


@pytest.fixture
def parties(payments: StripePayments) -> Parties:
    return Parties(payments)


@pytest.fixture
def log(sandbox: StripeSandbox) -> Callable[[], list[dict[str, object]]]:
    """What the sandbox wrote down since the test began, oldest first."""
    file = sandbox.folder / "stripe-sandbox.jsonl"
    before = file.stat().st_size

    def read() -> list[dict[str, object]]:
        return [json.loads(line) for line in file.read_bytes()[before:].splitlines()]

    return read
