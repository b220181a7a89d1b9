"""Why a payment did not go through, as a sentence for the payer: by the code of the provider.

Of a card that is lost, stolen or suspected no more is said than of any other: whoever holds it is not to know.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.rules.charges import AUTHENTICATION_REQUIRED, NOT_CONFIRMED

_LATER = "The bank could not process the payment at that moment."
_DETAILS = "The card’s details are not right. Check them, or pay another way."
_CLOSED = "The bank account does not exist, or it is closed. Pay another way."
UNSAID = "The bank refused the payment and does not say why. Ask the bank, or pay another way."

SENTENCES: Mapping[str, str] = {
    "insufficient_funds": "The card or account does not have enough money.",
    "card_velocity_exceeded": "The card has reached its limit.",
    "withdrawal_count_limit_exceeded": "The card has reached its limit.",
    "expired_card": "The card has expired. Pay with another one.",
    **dict.fromkeys(("incorrect_cvc", "incorrect_number", "incorrect_zip", "invalid_expiry_year"), _DETAILS),
    **dict.fromkeys(
        ("issuer_not_available", "processing_error", "reenter_transaction", "try_again_later"), _LATER
    ),
    **dict.fromkeys(("account_closed", "no_account"), _CLOSED),
    "debit_not_authorized": "The bank does not let this account be debited. Ask the bank, or pay another way.",
    "currency_not_supported": "The card cannot be charged in this currency. Pay with another one.",
    "mandate_required": (
        "Debits of this bank account were not agreed to. Save the account and agree to them first, or pay another way."
    ),
    AUTHENTICATION_REQUIRED: "The bank wants you to confirm the payment.",
    "payment_intent_authentication_failure": (
        "The bank could not confirm that it was you. Try again, or pay another way."
    ),
    "setup_intent_authentication_failure": (
        "The bank could not confirm that it was you. Try again, or pay another way."
    ),
    NOT_CONFIRMED: "The payment was not confirmed. Pay again when you can confirm it.",
}


def sentence(code: str | None) -> str:
    return SENTENCES.get(code or "", UNSAID)
