"""Every kind of line that Stripe can put on the statement, and its way into the books.

A line is looked up by what caused it, booked as the platform's own movement, or left to a person with the reason: no
line is lost, and none is guessed (docs/decisions/0013).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Handling(StrEnum):
    CAUSE = "CAUSE"
    """Looked up at the provider by its source, and booked by the operation or chargeback that caused it."""
    OWN_MONEY = "OWN_MONEY"
    """Between the platform's bank and its balance at the provider, by a top-up."""
    OWN_PAYOUT = "OWN_PAYOUT"
    """The platform's own payout to its bank."""
    FEE = "FEE"
    """A fee of the provider's that belongs to no payment."""
    PERSON = "PERSON"
    """Nothing that the desk does causes it, so a person says what it was."""


@dataclass(frozen=True)
class LineType:
    """`why` is what the person reads when a line ends in suspense."""

    handling: Handling
    why: str


_PAYMENT = LineType(Handling.CAUSE, "A payment that this desk did not ask for.")
_REFUND = LineType(Handling.CAUSE, "A refund that was made outside this desk.")
_TRANSFER = LineType(Handling.CAUSE, "A transfer that was made outside this desk.")
_REVERSAL = LineType(Handling.CAUSE, "A transfer that was reversed outside this desk.")
_ADJUSTMENT = LineType(
    Handling.CAUSE, "An adjustment by Stripe that belongs to no chargeback the desk knows."
)
_TOP_UP = LineType(Handling.OWN_MONEY, "A top-up of the platform's balance.")
_PAYOUT = LineType(Handling.OWN_PAYOUT, "A payout of the platform that this desk has not seen leave.")
_FEE = LineType(Handling.FEE, "A fee of Stripe's.")
_RESERVE = LineType(
    Handling.PERSON, "Stripe keeps a reserve, or gives one back: the money is still the platform's."
)
_ISSUING = LineType(
    Handling.PERSON, "A card issued by the platform: Stripe Issuing, which the desk does not use."
)
_CREDIT = LineType(Handling.PERSON, "A loan or an advance of Stripe's, or its repayment.")
_APPLICATION = LineType(
    Handling.PERSON, "An application fee, which the desk does not take: its fees are on top."
)
_ELSEWHERE = LineType(Handling.PERSON, "A service of Stripe's that the desk does not use.")
NOT_BY_ITS_CAUSE = "What caused it is known to the desk, and its state at Stripe does not explain this line."
UNKNOWN = LineType(Handling.PERSON, "A kind of line that this desk does not know.")

BY_TYPE: Mapping[str, LineType] = {
    "charge": _PAYMENT,
    "payment": _PAYMENT,
    "payment_unreconciled": _PAYMENT,
    "refund": _REFUND,
    "refund_failure": _REFUND,
    "payment_refund": _REFUND,
    "payment_failure_refund": _REFUND,
    "payment_reversal": _REFUND,
    "transfer": _TRANSFER,
    "transfer_cancel": _TRANSFER,
    "transfer_failure": _TRANSFER,
    "transfer_refund": _REVERSAL,
    "adjustment": _ADJUSTMENT,
    "topup": _TOP_UP,
    "topup_reversal": _TOP_UP,
    "payout": _PAYOUT,
    "payout_cancel": _PAYOUT,
    "payout_failure": _PAYOUT,
    "stripe_fee": _FEE,
    "stripe_fx_fee": _FEE,
    "tax_fee": _FEE,
    "reserve_transaction": _RESERVE,
    "reserved_funds": _RESERVE,
    "reserve_hold": _RESERVE,
    "reserve_release": _RESERVE,
    "payment_network_reserve_hold": _RESERVE,
    "payment_network_reserve_release": _RESERVE,
    "payout_minimum_balance_hold": _RESERVE,
    "payout_minimum_balance_release": _RESERVE,
    "issuing_authorization_hold": _ISSUING,
    "issuing_authorization_release": _ISSUING,
    "issuing_dispute": _ISSUING,
    "issuing_dispute_provisional_credit": _ISSUING,
    "issuing_dispute_provisional_credit_reversal": _ISSUING,
    "issuing_transaction": _ISSUING,
    "advance": _CREDIT,
    "advance_funding": _CREDIT,
    "anticipation_repayment": _CREDIT,
    "application_fee": _APPLICATION,
    "application_fee_refund": _APPLICATION,
    "climate_order_purchase": _ELSEWHERE,
    "climate_order_refund": _ELSEWHERE,
    "connect_collection_transfer": _ELSEWHERE,
    "contribution": _ELSEWHERE,
    "fee_credit_funding": _ELSEWHERE,
    "inbound_transfer": _ELSEWHERE,
    "inbound_transfer_reversal": _ELSEWHERE,
    "obligation_outbound": _ELSEWHERE,
    "obligation_reversal_inbound": _ELSEWHERE,
    "stripe_balance_payment_debit": _ELSEWHERE,
    "stripe_balance_payment_debit_reversal": _ELSEWHERE,
    "tax_fund": _ELSEWHERE,
}

# For kinds that are newer than this list: accounting categories change less often.
BY_CATEGORY: Mapping[str, LineType] = {
    "charge": _PAYMENT,
    "charge_failure": _PAYMENT,
    "refund": _REFUND,
    "refund_failure": _REFUND,
    "partial_capture_reversal": _REFUND,
    "transfer": _TRANSFER,
    "transfer_reversal": _REVERSAL,
    "dispute": _ADJUSTMENT,
    "dispute_reversal": _ADJUSTMENT,
    "topup": _TOP_UP,
    "topup_reversal": _TOP_UP,
    "payout": _PAYOUT,
    "payout_reversal": _PAYOUT,
    "fee": _FEE,
    "network_cost": _FEE,
    "risk_reserved_funds": _RESERVE,
}


def of(kind: str, category: str) -> LineType:
    """By type; by accounting category where the type is not known; else a person looks."""
    return BY_TYPE.get(kind) or BY_CATEGORY.get(category) or UNKNOWN
