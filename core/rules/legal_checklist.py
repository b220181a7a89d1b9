"""Before payments are switched on for a marketplace: four items, each signed by compliance.

(payment-escrow-rules, Compliance / Legal Review Checklist.) No payment is asked for on a marketplace until all are.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from core.rules.refusal_reasons import Block, Blocked


class Item(StrEnum):
    COUNSEL = "COUNSEL"
    PROCESSOR_TERMS = "PROCESSOR_TERMS"
    CHARGEBACK_WORKFLOW = "CHARGEBACK_WORKFLOW"
    PRIVACY = "PRIVACY"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Item.COUNSEL: "Counsel has reviewed what holding funds means under the law of each jurisdiction",
    Item.PROCESSOR_TERMS: "The terms of the payment processor allow this category of service",
    Item.CHARGEBACK_WORKFLOW: "Chargebacks have a workflow for answers, and documents a time for which they are kept",
    Item.PRIVACY: "Receipts and billing information are handled as privacy law asks",
}


class PaymentsSwitchedOff(Blocked):
    """Payments are not switched on for this marketplace yet. {reasons}"""


def missing(signed: Iterable[str]) -> tuple[Block, ...]:
    """Each item that nobody has signed."""
    known = set(signed)
    return tuple(
        Block(item.value.lower(), f"Not signed: {item.label}.") for item in Item if item.value not in known
    )


def require_signed(signed: Iterable[str]) -> None:
    if blocks := missing(signed):
        raise PaymentsSwitchedOff(blocks)
