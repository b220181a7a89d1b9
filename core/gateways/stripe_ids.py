"""Ids of Stripe's objects. One is checked here before it becomes part of an address: an id comes from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from core.gateways.payments import NeedsOperator


class IdKind(StrEnum):
    ACCOUNT = "account"
    BALANCE_TRANSACTION = "balance transaction"
    CHARGE = "charge"
    CUSTOMER = "customer"
    DISPUTE = "dispute"
    PAYMENT_INTENT = "payment intent"
    PAYOUT = "payout"
    REFUND = "refund"
    REVERSAL = "reversal"
    SETUP_INTENT = "setup intent"
    TRANSFER = "transfer"


PREFIXES: Mapping[IdKind, tuple[str, ...]] = {
    IdKind.ACCOUNT: ("acct_",),
    IdKind.BALANCE_TRANSACTION: ("txn_",),
    IdKind.CHARGE: ("ch_", "py_"),  # py_: a payment that was not by card
    IdKind.CUSTOMER: ("cus_",),
    IdKind.DISPUTE: ("dp_", "du_", "pdp_"),
    IdKind.PAYMENT_INTENT: ("pi_",),
    IdKind.PAYOUT: ("po_", "tr_"),  # payouts of old accounts were transfers
    IdKind.REFUND: ("re_", "pyr_"),
    IdKind.REVERSAL: ("trr_",),
    IdKind.SETUP_INTENT: ("seti_",),
    IdKind.TRANSFER: ("tr_",),
}
REST = re.compile(r"[A-Za-z0-9_]{1,250}")


class IdUnusable(NeedsOperator):
    """Stripe was not asked: {reason}."""


def of(kind: IdKind, found: object) -> str:
    """`found` if it can be the id of such an object. Raises `IdUnusable`."""
    prefixes = PREFIXES[kind]
    if isinstance(found, str):
        prefix = next((each for each in prefixes if found.startswith(each)), None)
        if prefix is not None and REST.fullmatch(found.removeprefix(prefix)):
            return found
    begins, article = " or ".join(prefixes), "an" if kind[0] in "aeiou" else "a"
    raise IdUnusable(
        reason=f"{repr(found)[:80]} is not the id of {article} {kind}, which begins with {begins}"
    )
