"""What a payout of the platform's is made of: every line of Stripe's statement belongs to exactly one part."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Part(StrEnum):
    CHARGES = "charges"
    REFUNDS = "refunds"
    CHARGEBACKS = "chargebacks"
    TRANSFERS = "transfers"
    FEES = "fees"
    RESERVES = "reserves"
    TOP_UPS = "top-ups"
    PAYOUTS_BACK = "payouts back"
    OTHER = "other"


WORDS: Mapping[Part, str] = {
    Part.CHARGES: "Charges",
    Part.REFUNDS: "Refunds",
    Part.CHARGEBACKS: "Chargebacks",
    Part.TRANSFERS: "Transfers to payees",
    Part.FEES: "Stripe's fees",
    Part.RESERVES: "Reserves",
    Part.TOP_UPS: "Top-ups",
    Part.PAYOUTS_BACK: "Payouts that came back",
    Part.OTHER: "Other lines",
}
BY_CATEGORY: Mapping[str, Part] = {
    "charge": Part.CHARGES,
    "charge_failure": Part.CHARGES,
    "refund": Part.REFUNDS,
    "refund_failure": Part.REFUNDS,
    "partial_capture_reversal": Part.REFUNDS,
    "dispute": Part.CHARGEBACKS,
    "dispute_reversal": Part.CHARGEBACKS,
    "transfer": Part.TRANSFERS,
    "transfer_reversal": Part.TRANSFERS,
    "fee": Part.FEES,
    "network_cost": Part.FEES,
    "tax": Part.FEES,
    "risk_reserved_funds": Part.RESERVES,
    "topup": Part.TOP_UPS,
    "topup_reversal": Part.TOP_UPS,
    "payout_reversal": Part.PAYOUTS_BACK,
}
BY_KIND: Mapping[str, Part] = {
    "charge": Part.CHARGES,
    "payment": Part.CHARGES,
    "payment_unreconciled": Part.CHARGES,
    "refund": Part.REFUNDS,
    "refund_failure": Part.REFUNDS,
    "payment_refund": Part.REFUNDS,
    "payment_failure_refund": Part.REFUNDS,
    "payment_reversal": Part.REFUNDS,
    "transfer": Part.TRANSFERS,
    "transfer_cancel": Part.TRANSFERS,
    "transfer_failure": Part.TRANSFERS,
    "transfer_refund": Part.TRANSFERS,
    "topup": Part.TOP_UPS,
    "topup_reversal": Part.TOP_UPS,
    "stripe_fee": Part.FEES,
    "stripe_fx_fee": Part.FEES,
    "tax_fee": Part.FEES,
    "reserve_transaction": Part.RESERVES,
    "reserved_funds": Part.RESERVES,
    "reserve_hold": Part.RESERVES,
    "reserve_release": Part.RESERVES,
    "payment_network_reserve_hold": Part.RESERVES,
    "payment_network_reserve_release": Part.RESERVES,
    "payout_minimum_balance_hold": Part.RESERVES,
    "payout_minimum_balance_release": Part.RESERVES,
    "payout_failure": Part.PAYOUTS_BACK,
    "payout_cancel": Part.PAYOUTS_BACK,
}


def part(kind: str, category: str) -> Part:
    """Where a line's amount belongs; its fee belongs to the fees, whatever the line is."""
    return BY_KIND.get(kind) or BY_CATEGORY.get(category) or Part.OTHER
