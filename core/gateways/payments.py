"""The payments port: everything the desk asks of a payment provider, and the four ways it can go wrong.

Rules for every call that moves money: `op` is our operation id, kept with the object at the provider as `metadata.op`;
`key` is the idempotency key `{op}:{attempt}`, kept as `metadata.key`. The answer is a snapshot or one of four errors:

* `ProviderRefused`: definitive; nothing happened. The attempt may be bumped.
* `OutcomeUnknown`: it may or may not have happened. Try the *same* key again, or `find_…` by `op` when the key is old
  (providers forget keys after a day and would then do it twice).
* `NotRead`: a question that got no clear answer. Asking changes nothing; what was sent before may have.
* `NeedsOperator`: our own set-up is wrong; sending again cannot help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from core.errors import DeskError
from core.gateways.snapshots import (
    AccountLinkSnapshot,
    BalanceLine,
    ChargeSnapshot,
    CustomerSnapshot,
    DisputeSnapshot,
    MethodSnapshot,
    PaidWith,
    PayeeAccountSnapshot,
    PayoutSnapshot,
    ProviderEvent,
    RefundSnapshot,
    ReversalSnapshot,
    SetupSnapshot,
    TransferSnapshot,
)
from core.money import Money

__all__ = [
    "DEBITS",
    "AccountLinkSnapshot",
    "BalanceLine",
    "ChargeSnapshot",
    "CustomerSnapshot",
    "DisputeSnapshot",
    "LiveKeyElsewhere",
    "MethodSnapshot",
    "NeedsOperator",
    "OutcomeUnknown",
    "PaidWith",
    "PayeeAccountSnapshot",
    "Payments",
    "PayoutSnapshot",
    "ProviderEvent",
    "ProviderRefused",
    "RefundSnapshot",
    "ReversalSnapshot",
    "SetupSnapshot",
    "TransferSnapshot",
]


# What Stripe debits days later, and only with its holder's mandate.
DEBITS = frozenset("acss_debit au_becs_debit bacs_debit nz_bank_account sepa_debit us_bank_account".split())


class ProviderRefused(DeskError):
    """Stripe refused: {reason} ({provider_code})."""

    @property
    def provider_code(self) -> str:
        """The provider's own word, such as `card_declined`, `insufficient_funds` or `charge_already_refunded`."""
        return str(self.facts["provider_code"])


class OutcomeUnknown(DeskError):
    """Stripe gave no clear answer ({reason}); it may or may not have been done."""


class NotRead(OutcomeUnknown):
    """Stripe could not be asked ({reason}). Asking changes nothing there."""


class NeedsOperator(DeskError):
    """Stripe does not accept our set-up: {reason}. Someone must look at it before anything is sent."""


class LiveKeyElsewhere(DeskError):
    """A live key may only be used with the provider's own address, not with {address}."""


class Payments(Protocol):
    """What the desk needs from a payment provider. Amounts carry their currency; `account` is a connected account."""

    # -- people --

    def create_customer(self, op: str, key: str, *, name: str, email: str) -> CustomerSnapshot: ...

    def create_payee_account(
        self, op: str, key: str, *, email: str, country: str, currency: str, bank_token: str | None = None
    ) -> PayeeAccountSnapshot:
        """A connected account with manual payouts: only we send its money to the bank."""

    def replace_bank(self, op: str, key: str, *, account: str, bank_token: str) -> PayeeAccountSnapshot:
        """Another bank account or card in place of a payee's, in its currency (milestone-payment-flow, Error Handling
        2: after a failed one)."""

    def update_contact(
        self, key: str, *, customer: str | None, account: str | None, name: str, email: str
    ) -> None:
        """A payer's or a payee's name and address, as the provider writes to them."""

    def method(self, payment_method: str) -> MethodSnapshot | None:
        """What a payer would pay with; None where the provider does not say so of a token of test mode.
        Raises `ProviderRefused` for one that it does not know."""

    def attach(self, key: str, *, customer: str, payment_method: str) -> str:
        """A payer pays with this from now on; returns the id under which the provider knows it."""

    def account_link(
        self, key: str, *, account: str, update: bool, refresh_url: str, return_url: str
    ) -> AccountLinkSnapshot:
        """Where a payee gives the provider what it still needs, or with `update` changes what it gave. Who comes with a
        link that is used up or too old is sent on to `refresh_url`, who is done to `return_url`."""

    def set_up(self, op: str, key: str, *, customer: str) -> SetupSnapshot:
        """Begin to save a payment method of a customer, who gives it in their browser, for charges off session."""

    def set_up_of(self, setup_intent: str) -> SetupSnapshot: ...

    def payee_account(self, account: str) -> PayeeAccountSnapshot: ...

    # -- money --

    def charge(
        self,
        op: str,
        key: str,
        *,
        amount: Money,
        customer: str,
        payment_method: str,
        transfer_group: str,
        description: str,
        off_session: bool = True,
        return_url: str | None = None,
    ) -> ChargeSnapshot:
        """Take a payment now. Unless it is made `off_session`, the customer is there and can be asked by their bank, on
        a page that sends them back to `return_url`, or in the marketplace's own. What they pay with is kept for charges
        off session."""

    def cancel_charge(self, key: str, *, payment_intent: str) -> ChargeSnapshot:
        """Call off a payment that waits for the customer; one that does not any more is answered as it is."""

    def refund(
        self, op: str, key: str, *, payment_intent: str, amount: Money, reason: str | None = None
    ) -> RefundSnapshot:
        """Give back part or all of a payment. `reason`: `duplicate`, `fraudulent` or `requested_by_customer`."""

    def transfer(
        self,
        op: str,
        key: str,
        *,
        amount: Money,
        destination: str,
        transfer_group: str,
        source_transaction: str | None = None,
    ) -> TransferSnapshot:
        """Move money to a payee's account; `source_transaction` is the charge (`ch_…`) that pays for it."""

    def reverse_transfer(self, op: str, key: str, *, transfer: str, amount: Money) -> ReversalSnapshot: ...

    def payout(
        self, op: str, key: str, *, account: str, amount: Money, method: str = "standard"
    ) -> PayoutSnapshot:
        """Send a payee's money to the bank; `method` is `standard` or `instant`."""

    # -- disputes --

    def upload_evidence(self, key: str, *, filename: str, content: bytes) -> str:
        """Store a file as dispute evidence; returns its id, to be named in `submit_evidence`."""

    def submit_evidence(
        self, op: str, key: str, *, dispute: str, evidence: Mapping[str, str], submit: bool
    ) -> DisputeSnapshot:
        """Stage (`submit=False`) or send evidence, usually only once. Texts have at most 20,000 characters each."""

    def accept_dispute(self, key: str, *, dispute: str) -> DisputeSnapshot:
        """Accept it: the dispute is lost at once and cannot be reopened."""

    # -- look-ups by our operation id, for an unknown outcome -------------------------------------------------------

    def find_charge(self, op: str, *, transfer_group: str) -> ChargeSnapshot | None: ...

    def find_refund(self, op: str, *, payment_intent: str) -> RefundSnapshot | None: ...

    def find_transfer(self, op: str, *, transfer_group: str, destination: str) -> TransferSnapshot | None: ...

    def find_reversal(self, op: str, *, transfer: str) -> ReversalSnapshot | None: ...

    def find_payout(self, op: str, *, account: str, created_from: datetime) -> PayoutSnapshot | None: ...

    # -- present state --

    def charge_of(self, payment_intent: str) -> ChargeSnapshot: ...

    def charge_by_id(self, charge: str) -> ChargeSnapshot:
        """The payment that this charge (`ch_…`, as lines name it) belongs to."""

    def refund_by_id(self, refund: str) -> RefundSnapshot: ...

    def transfer_by_id(self, transfer: str) -> TransferSnapshot: ...

    def reversal_by_id(self, transfer: str, reversal: str) -> ReversalSnapshot: ...

    def reversal_of(self, line: str) -> ReversalSnapshot:
        """The reversal that caused this line: a line names it, but not the transfer that it belongs to."""

    def payout_by_id(self, payout: str, *, account: str | None) -> PayoutSnapshot:
        """`account` is the payee's; None for a payout of the platform's own."""

    def dispute_by_id(self, dispute: str) -> DisputeSnapshot: ...

    # -- the books of the provider --

    def balance_lines(
        self,
        created_from: datetime,
        created_to: datetime,
        *,
        account: str | None = None,
        after: str | None = None,
    ) -> Iterator[BalanceLine]:
        """Every line with `created_from <= created < created_to`, newest first, paging to the end; those that come
        `after` a line of this id, when one is given."""

    def payouts(
        self,
        created_from: datetime,
        created_to: datetime,
        *,
        account: str | None = None,
        after: str | None = None,
    ) -> Iterator[PayoutSnapshot]:
        """The payouts of the platform, or of a payee's account, in the same way."""

    def balance(self, *, account: str | None = None) -> dict[str, Money]:
        """Available and pending together, per currency."""

    def available(self, *, account: str | None = None) -> dict[str, Money]:
        """What can be paid out or transferred now, per currency."""

    def settlement_currencies(self) -> frozenset[str]:
        """The currencies that the platform's balance is kept in. What is charged in another is converted."""

    def events(self, after: datetime, *, account: str | None = None) -> Iterator[ProviderEvent]:
        """Every event created at or after `after`, newest first: what webhooks may have missed."""
