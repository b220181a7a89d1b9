"""Asking Stripe: look-ups by our operation id, the present state of an object, and Stripe's own books.

Look-ups go through list filters and `metadata.op`, to the last page; Stripe's search lags and is not used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from stripe import RequestOptions
from stripe.params import BalanceTransactionListParams, PayoutListParams

from core.gateways import stripe_ids as ids
from core.gateways import stripe_snapshots as read
from core.gateways.snapshots import (
    BalanceLine,
    ChargeSnapshot,
    DisputeSnapshot,
    PayeeAccountSnapshot,
    PayoutSnapshot,
    ProviderEvent,
    RefundSnapshot,
    ReversalSnapshot,
    SetupSnapshot,
    TransferSnapshot,
    match,
)
from core.gateways.stripe_calls import PATIENCE, STRIPE, client, translate_read_errors
from core.gateways.stripe_ids import IdKind
from core.money import Money

PAGE = 100


CLOCK_SKEW = timedelta(minutes=10)
"""Stripe's clock and ours may differ by this much when looking for something by the time it was sent."""

LINE = ["balance_transaction"]
LINES = ["balance_transaction", "failure_balance_transaction"]
CHARGE = ["latest_charge.balance_transaction"]


class StripeReads:
    """The half of `Payments` that moves no money."""

    def __init__(self, api_key: str, base: str = STRIPE, *, patience: tuple[float, float] = PATIENCE) -> None:
        self._v1 = client(api_key, base, patience).v1

    # -- look-ups -

    def find_charge(self, op: str, *, transfer_group: str) -> ChargeSnapshot | None:
        with translate_read_errors():
            page = self._v1.charges.list(
                {
                    "transfer_group": transfer_group,
                    "limit": PAGE,
                    "expand": ["data.balance_transaction", "data.payment_intent"],
                }
            )
            made = [plain(each) for each in page.auto_paging_iter()]
        return match(
            op, [read.charge(each["payment_intent"], each) for each in made if each["payment_intent"]]
        )

    def find_refund(self, op: str, *, payment_intent: str) -> RefundSnapshot | None:
        with translate_read_errors():
            page = self._v1.refunds.list(
                {"payment_intent": payment_intent, "limit": PAGE, "expand": _each(LINES)}
            )
            return match(op, [read.refund(plain(each)) for each in page.auto_paging_iter()])

    def find_transfer(self, op: str, *, transfer_group: str, destination: str) -> TransferSnapshot | None:
        with translate_read_errors():
            page = self._v1.transfers.list(
                {
                    "destination": destination,
                    "transfer_group": transfer_group,
                    "limit": PAGE,
                    "expand": _each(LINE),
                }
            )
            return match(op, [read.transfer(plain(each)) for each in page.auto_paging_iter()])

    def find_reversal(self, op: str, *, transfer: str) -> ReversalSnapshot | None:
        with translate_read_errors():
            page = self._v1.transfers.reversals.list(
                ids.of(IdKind.TRANSFER, transfer), {"limit": PAGE, "expand": _each(LINE)}
            )
            return match(op, [read.reversal(plain(each)) for each in page.auto_paging_iter()])

    def find_payout(self, op: str, *, account: str, created_from: datetime) -> PayoutSnapshot | None:
        since = math.floor((created_from - CLOCK_SKEW).timestamp())
        with translate_read_errors():
            page = self._v1.payouts.list(
                {"created": {"gte": since}, "limit": PAGE, "expand": _each(LINES)},
                as_(account),
            )
            return match(op, [read.payout(plain(each), account) for each in page.auto_paging_iter()])

    # -- present state -

    def payee_account(self, account: str) -> PayeeAccountSnapshot:
        with translate_read_errors():
            return read.payee_account(plain(self._v1.accounts.retrieve(ids.of(IdKind.ACCOUNT, account))))

    def set_up_of(self, setup_intent: str) -> SetupSnapshot:
        with translate_read_errors():
            made = self._v1.setup_intents.retrieve(
                ids.of(IdKind.SETUP_INTENT, setup_intent), {"expand": ["payment_method"]}
            )
        return read.set_up(plain(made))

    def charge_of(self, payment_intent: str) -> ChargeSnapshot:
        with translate_read_errors():
            return read.charge(
                plain(
                    self._v1.payment_intents.retrieve(
                        ids.of(IdKind.PAYMENT_INTENT, payment_intent), {"expand": CHARGE}
                    )
                )
            )

    def charge_by_id(self, charge: str) -> ChargeSnapshot:
        with translate_read_errors():
            expand = ["balance_transaction", "payment_intent"]
            made = plain(self._v1.charges.retrieve(ids.of(IdKind.CHARGE, charge), {"expand": expand}))
        return read.charge(made.get("payment_intent") or _without_intent(made), made)

    def refund_by_id(self, refund: str) -> RefundSnapshot:
        with translate_read_errors():
            return read.refund(
                plain(self._v1.refunds.retrieve(ids.of(IdKind.REFUND, refund), {"expand": LINES}))
            )

    def transfer_by_id(self, transfer: str) -> TransferSnapshot:
        with translate_read_errors():
            return read.transfer(
                plain(self._v1.transfers.retrieve(ids.of(IdKind.TRANSFER, transfer), {"expand": LINE}))
            )

    def reversal_by_id(self, transfer: str, reversal: str) -> ReversalSnapshot:
        with translate_read_errors():
            found = self._v1.transfers.reversals.retrieve(
                ids.of(IdKind.TRANSFER, transfer), ids.of(IdKind.REVERSAL, reversal), {"expand": LINE}
            )
            return read.reversal(plain(found))

    def reversal_of(self, line: str) -> ReversalSnapshot:
        with translate_read_errors():
            found = self._v1.balance_transactions.retrieve(
                ids.of(IdKind.BALANCE_TRANSACTION, line), {"expand": ["source.balance_transaction"]}
            )
        return read.reversal(plain(found)["source"])

    def payout_by_id(self, payout: str, *, account: str | None) -> PayoutSnapshot:
        with translate_read_errors():
            found = self._v1.payouts.retrieve(ids.of(IdKind.PAYOUT, payout), {"expand": LINES}, as_(account))
            return read.payout(plain(found), account)

    def dispute_by_id(self, dispute: str) -> DisputeSnapshot:
        with translate_read_errors():
            return read.dispute(plain(self._v1.disputes.retrieve(ids.of(IdKind.DISPUTE, dispute))))

    # -- the provider's books -

    def balance_lines(
        self,
        created_from: datetime,
        created_to: datetime,
        *,
        account: str | None = None,
        after: str | None = None,
    ) -> Iterator[BalanceLine]:
        since, until = _span(created_from, created_to)
        asked: BalanceTransactionListParams = {"created": {"gte": since, "lt": until}, "limit": PAGE}
        if after is not None:
            asked["starting_after"] = ids.of(IdKind.BALANCE_TRANSACTION, after)
        with translate_read_errors():
            page = self._v1.balance_transactions.list(asked, as_(account))
            for each in page.auto_paging_iter():
                yield read.line(plain(each))

    def payouts(
        self,
        created_from: datetime,
        created_to: datetime,
        *,
        account: str | None = None,
        after: str | None = None,
    ) -> Iterator[PayoutSnapshot]:
        since, until = _span(created_from, created_to)
        asked: PayoutListParams = {
            "created": {"gte": since, "lt": until},
            "limit": PAGE,
            "expand": _each(LINES),
        }
        if after is not None:
            asked["starting_after"] = ids.of(IdKind.PAYOUT, after)
        with translate_read_errors():
            page = self._v1.payouts.list(asked, as_(account))
            for each in page.auto_paging_iter():
                yield read.payout(plain(each), account)

    def balance(self, *, account: str | None = None) -> dict[str, Money]:
        return self._balance("available", "pending", account=account)

    def available(self, *, account: str | None = None) -> dict[str, Money]:
        return self._balance("available", account=account)

    def settlement_currencies(self) -> frozenset[str]:
        with translate_read_errors():
            found = plain(self._v1.balance.retrieve({}))
        return frozenset(
            each["currency"].upper() for part in ("available", "pending") for each in found[part]
        )

    def _balance(self, *parts: str, account: str | None) -> dict[str, Money]:
        with translate_read_errors():
            found = plain(self._v1.balance.retrieve({}, as_(account)))
        amounts = [read.money(each["amount"], each["currency"]) for part in parts for each in found[part]]
        return {
            currency: Money.total((each for each in amounts if each.currency == currency), currency)
            for currency in sorted({each.currency for each in amounts})
        }

    def events(self, after: datetime, *, account: str | None = None) -> Iterator[ProviderEvent]:
        since = math.floor(after.timestamp())
        with translate_read_errors():
            page = self._v1.events.list({"created": {"gte": since}, "limit": PAGE}, as_(account))
            for each in page.auto_paging_iter():
                yield read.event(plain(each))


def _span(since: datetime, until: datetime) -> tuple[int, int]:
    return math.ceil(since.timestamp()), math.ceil(until.timestamp())


def plain(obj: Any) -> dict[str, Any]:
    """A `StripeObject` as dictionaries and lists all the way down."""
    found: dict[str, Any] = obj.to_dict()
    return found


def _without_intent(charge: dict[str, Any]) -> dict[str, Any]:
    """A charge that somebody made without a payment intent stands for itself."""
    return {**charge, "last_payment_error": None}


def as_(account: str | None) -> RequestOptions:
    """Speak for a connected account."""
    return {"stripe_account": ids.of(IdKind.ACCOUNT, account)} if account else {}


def _each(expand: list[str]) -> list[str]:
    return [f"data.{each}" for each in expand]
