"""Why a refund did not reach the payer, by the provider's code, as a sentence for whoever reads it.

Of a card that is lost or stolen no more is said than of one that expired: whoever holds it is not to know.
"""

from __future__ import annotations

from collections.abc import Mapping

_CARD = "The card that was paid with is no longer in use."
_CHARGED_BACK = "The payer's bank disputes the payment, so it is not refunded as well."

SENTENCES: Mapping[str, str] = {
    **dict.fromkeys(("expired_or_canceled_card", "lost_or_stolen_card"), _CARD),
    **dict.fromkeys(("charge_disputed", "charge_for_pending_refund_disputed"), _CHARGED_BACK),
    "charge_already_refunded": "The payment was refunded already.",
    "declined": "The payer's bank refused it and does not say why.",
    "insufficient_funds": "The platform's balance at Stripe did not cover it.",
    "merchant_request": "It was canceled at Stripe.",
}
CAME_BACK = "The payer's bank did not take it and does not say why."
REFUSED = "Stripe refused it, and nothing was sent."


def came_back(code: str | None) -> str:
    return SENTENCES.get(code or "", CAME_BACK)


def refused(code: str | None) -> str:
    return SENTENCES.get(code or "", REFUSED)
