"""What the payment provider said, frozen at the moment we read it.

A snapshot is a fact about the past: actions book it, they never change it. Amounts are `Money`; the parts of a
`BalanceLine` are signed minor units exactly as the provider booked them (`net = amount - fee`, fees may be negative).
Times are UTC. Ids are the provider's, as text. `op` is our operation id and `key` the idempotency key it was sent
with; both are `None` on objects that somebody made outside this desk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from core.money import Money


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One line of a balance at the provider: the only proof that money moved.

    `amount`, `fee` and `net` are signed minor units of `currency` (upper case). `reporting_category` is what
    accounting classifies by (`charge`, `refund`, `transfer`, `payout`, `dispute`, …). `source` is the id of the object
    that caused the line, if any.
    """

    id: str
    type: str
    reporting_category: str
    amount: int
    fee: int
    net: int
    currency: str
    source: str | None
    created: datetime
    available_on: datetime
    status: str
    description: str | None = None
    exchange_rate: str | None = None


@dataclass(frozen=True, slots=True)
class PaidWith:
    """What was charged, in the provider's words: `kind` (`card`, `us_bank_account`, `sepa_debit`, …); of a card its
    `brand` and `funding` (`credit`, `debit`, `prepaid`); `country`, where it was issued. None: not told."""

    kind: str
    brand: str | None = None
    funding: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class ChargeSnapshot:
    """A payment by a customer. `status` is the payment intent's: `succeeded`, `processing`, `canceled`,
    `requires_action` (the payer's bank asks them), `requires_payment_method` (declined), … `lines` is empty until the
    provider has booked the charge. With `client_secret` the payer's browser can confirm it, and with nothing else.
    `by_card`: nothing says that a bank account was debited."""

    id: str
    status: str
    amount: Money
    created: datetime
    op: str | None
    key: str | None
    charge: str | None
    refunded: Money
    disputed: bool
    customer: str | None
    payment_method: str | None
    transfer_group: str | None
    failure_code: str | None
    failure_message: str | None
    lines: tuple[BalanceLine, ...] = ()
    client_secret: str | None = field(default=None, repr=False)
    action_url: str | None = field(default=None, repr=False)
    paid_by: str | None = None
    """What was charged, as a person knows it: `Visa ending in 4242`."""
    paid_with: PaidWith | None = None
    by_card: bool = True

    @property
    def asks_payer(self) -> bool:
        """The payer's bank wants them to confirm it: now, or, refused while they were away, when they come back."""
        away = self.status == "requires_payment_method" and self.failure_code == "authentication_required"
        return self.status == "requires_action" or away

    @property
    def succeeded(self) -> bool:
        """The customer has paid. The fee is known only when `lines` is not empty."""
        return self.status == "succeeded"

    @property
    def lost(self) -> bool:
        return self.status in {"requires_payment_method", "canceled"}


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A refund. `status`: `pending`, `requires_action`, `succeeded`, `failed`, `canceled`; any may follow `pending`,
    and `failed` may follow `succeeded`. `pending_reason` says why it waits. A failed refund has a second line that
    gives the money back to the balance."""

    id: str
    status: str
    amount: Money
    created: datetime
    op: str | None
    key: str | None
    payment_intent: str | None
    charge: str | None
    reason: str | None
    pending_reason: str | None
    failure_code: str | None
    failure_message: str | None
    lines: tuple[BalanceLine, ...] = ()

    @property
    def lost(self) -> bool:
        return self.status in {"failed", "canceled"}


@dataclass(frozen=True, slots=True)
class TransferSnapshot:
    """Money moved from the platform to a payee's connected account. Transfers happen at once: `status` is `paid`,
    `partially_reversed` or `reversed`, read from the amounts."""

    id: str
    status: str
    amount: Money
    created: datetime
    op: str | None
    key: str | None
    reversed: Money
    destination: str | None
    destination_payment: str | None
    source_transaction: str | None
    transfer_group: str | None
    failure_code: str | None = None
    failure_message: str | None = None
    lines: tuple[BalanceLine, ...] = ()

    @property
    def lost(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ReversalSnapshot:
    """Money reversed from a transfer. Reversals happen at once: `status` is always `paid`."""

    id: str
    status: str
    amount: Money
    created: datetime
    op: str | None
    key: str | None
    transfer: str
    failure_code: str | None = None
    failure_message: str | None = None
    lines: tuple[BalanceLine, ...] = ()

    @property
    def lost(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class PayoutSnapshot:
    """Money sent from a connected account (`account`; None for the platform) to the payee's bank. `status`: `pending`,
    `in_transit`, `paid`, `failed`, `canceled`; `failed` may follow `paid` within five business days, and then a second
    line gives the money back to the connected balance. `method` is `standard` or `instant`."""

    id: str
    status: str
    amount: Money
    created: datetime
    op: str | None
    key: str | None
    account: str | None
    method: str
    destination: str | None
    arrival: datetime
    automatic: bool
    failure_code: str | None
    failure_message: str | None
    lines: tuple[BalanceLine, ...] = ()

    @property
    def lost(self) -> bool:
        return self.status in {"failed", "canceled"}


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A chargeback or an inquiry. `status` is the provider's (`needs_response`, `under_review`, `won`, `lost`,
    `warning_…`). `due_by` is read, never computed; None means that no answer is allowed. `amount` may exceed the
    payment, and `lines` may be several."""

    id: str
    status: str
    amount: Money
    created: datetime
    op: str | None
    reason: str
    charge: str
    payment_intent: str | None
    due_by: datetime | None
    past_due: bool
    has_evidence: bool
    submission_count: int
    refundable: bool
    lines: tuple[BalanceLine, ...] = ()
    network: str | None = None
    network_code: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerSnapshot:
    """A payer, known to the provider."""

    id: str
    created: datetime
    op: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class BankSnapshot:
    """Where payouts in one currency go. `id` stays while it is the same bank account, `called` is the provider's own
    name for it; one that a payout came back from is not usable until it is replaced."""

    id: str
    called: str
    currency: str
    last4: str
    usable: bool


@dataclass(frozen=True, slots=True)
class PayeeAccountSnapshot:
    """A payee's connected account. `bank_status` is the state of the default bank account or card: `errored` after a
    failed payout, None when there is none; `banks` are the default ones of each currency. `transfers` is the
    capability: `active`, `pending`, `inactive`, or `unrequested`. The requirements are the provider's own names,
    `due_at` by when those in `currently_due` must be there."""

    id: str
    created: datetime
    op: str | None
    key: str | None
    country: str
    currency: str
    payouts_enabled: bool
    bank: str | None
    bank_status: str | None
    bank_last4: str | None
    banks: tuple[BankSnapshot, ...] = ()
    transfers: str = "unrequested"
    details_submitted: bool = False
    currently_due: tuple[str, ...] = ()
    past_due: tuple[str, ...] = ()
    pending_verification: tuple[str, ...] = ()
    disabled_reason: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountLinkSnapshot:
    """An address of the provider's where a payee gives what is due; good for one visit before `expires`."""

    url: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class MethodSnapshot:
    """What a payer pays with, in the provider's words: `kind` as `card` or `us_bank_account`, a card's `brand`."""

    kind: str
    brand: str | None = None
    last4: str | None = None


@dataclass(frozen=True, slots=True)
class SetupSnapshot:
    """A payment method that a customer saves for later. `status` is the setup intent's: `requires_payment_method`,
    `requires_action` (their bank asks them), `succeeded`, … With `client_secret` their browser goes on with it.
    `method`: what `payment_method` is, where that was asked for."""

    id: str
    status: str
    created: datetime
    customer: str | None
    payment_method: str | None
    failure_code: str | None
    client_secret: str | None = field(repr=False)
    method: MethodSnapshot | None = None


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One notice from the provider: `object_kind` (`payout`, `charge`, `dispute`, …) and `object_id` name what changed,
    `account` the connected account it happened on. `payload` is the whole event as it came; it may be stale, so
    fetch the object again before acting on it."""

    id: str
    type: str
    account: str | None
    created: datetime
    object_id: str | None
    object_kind: str
    payload: Mapping[str, Any] = field(repr=False)


class Sent(Protocol):
    """What every object that we send has in common, for matching after an unknown outcome."""

    @property
    def op(self) -> str | None: ...
    @property
    def created(self) -> datetime: ...
    @property
    def lost(self) -> bool: ...


Found = TypeVar("Found", bound=Sent)


def match(op: str, candidates: list[Found]) -> Found | None:
    """The object that operation `op` made, or None.

    An operation sent again after a refusal leaves dead objects behind, so a living one wins over a lost one; among
    equals the oldest wins, because a second one would be the mistake.
    """
    ours = [each for each in candidates if each.op == op]
    return min(ours, key=lambda each: (each.lost, each.created), default=None)
