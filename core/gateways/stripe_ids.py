"""Ids of Stripe's objects. One is checked here before it becomes part of an address: an id comes from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from core.gateways.payments import NeedsOperator


class Kind(StrEnum):
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


PREFIXES: Mapping[Kind, tuple[str, ...]] = {
    Kind.ACCOUNT: ("acct_",),
    Kind.BALANCE_TRANSACTION: ("txn_",),
    Kind.CHARGE: ("ch_", "py_"),  # py_: a payment that was not by card
    Kind.CUSTOMER: ("cus_",),
    Kind.DISPUTE: ("dp_", "du_", "pdp_"),
    Kind.PAYMENT_INTENT: ("pi_",),
    Kind.PAYOUT: ("po_", "tr_"),  # payouts of old accounts were transfers
    Kind.REFUND: ("re_", "pyr_"),
    Kind.REVERSAL: ("trr_",),
    Kind.SETUP_INTENT: ("seti_",),
    Kind.TRANSFER: ("tr_",),
}
REST = re.compile(r"[A-Za-z0-9_]{1,250}")


class IdUnusable(NeedsOperator):
    """Stripe was not asked: {reason}."""


def of(kind: Kind, found: object) -> str:
    """`found` if it can be the id of such an object. Raises `IdUnusable`."""
    prefixes = PREFIXES[kind]
    if isinstance(found, str):
        prefix = next((each for each in prefixes if found.startswith(each)), None)
        if prefix is not None and REST.fullmatch(found.removeprefix(prefix)):
            return found
    begins = " or ".join(prefixes)
    raise IdUnusable(reason=f"{repr(found)[:80]} is not the id of a {kind}, which begins with {begins}")
