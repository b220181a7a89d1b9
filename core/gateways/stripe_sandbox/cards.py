"""Stripe's test cards and test banks, by the tokens of its documentation, and what each of them does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """How a test card behaves: declined with a code, disputed for a reason, refunded late, settled now.

    `asks`: its bank asks the customer `always`, or `unless_set_up` (by a setup intent, or a payment that was confirmed
    with `setup_future_usage`); `set_up`: that was done before. `debit`: it is no card but a bank account that is
    debited, which is known to have worked or not only days later. `funding` and `country`: who issued it, and how.
    """

    brand: str = "visa"
    last4: str = "4242"
    code: str | None = None
    decline_code: str | None = None
    message: str = "Your card was declined."
    disputed: str | None = None
    inquiry: bool = False
    refund: str = "succeeded"
    settles_now: bool = False
    asks: str = ""
    set_up: bool = False
    debit: str = ""
    funding: str = "credit"
    country: str = "US"


def _declined(last4: str, decline_code: str) -> Card:
    return Card(last4=last4, code="card_declined", decline_code=decline_code)


CARDS: dict[str, Card] = {
    "visa": Card(),
    "visa_debit": Card(last4="5556", funding="debit"),
    "mastercard": Card(brand="mastercard", last4="4444"),
    "amex": Card(brand="amex", last4="8431"),
    "us": Card(),
    "de": Card(last4="0016", country="DE"),
    "gb": Card(last4="0000", country="GB"),
    "jp": Card(last4="0003", country="JP"),
    "bypassPending": Card(last4="0077", settles_now=True),
    "chargeDeclined": _declined("0002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": Card(
        last4="9995",
        code="card_declined",
        decline_code="insufficient_funds",
        message="Your card has insufficient funds.",
    ),
    "chargeDeclinedLostCard": _declined("9987", "lost_card"),
    "chargeDeclinedStolenCard": _declined("9979", "stolen_card"),
    "chargeDeclinedFraudulent": _declined("0019", "fraudulent"),
    "chargeCustomerFail": _declined("0341", "generic_decline"),
    "chargeDeclinedExpiredCard": Card(last4="0069", code="expired_card", message="Your card has expired."),
    "chargeDeclinedIncorrectCvc": Card(
        last4="0127", code="incorrect_cvc", message="Your card's security code is incorrect."
    ),
    "chargeDeclinedProcessingError": Card(
        last4="0119",
        code="processing_error",
        message="An error occurred while processing your card. Try again in a little bit.",
    ),
    "authenticationRequired": Card(last4="3184", asks="always"),
    "authenticationRequiredOnSetup": Card(last4="3155", asks="unless_set_up"),
    "authenticationRequiredSetupForOffSession": Card(last4="0446", asks="unless_set_up", set_up=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        last4="3178",
        code="card_declined",
        decline_code="insufficient_funds",
        message="Your card has insufficient funds.",
        asks="always",
    ),
    "threeDSecure2Required": Card(last4="3220", asks="always"),
    "threeDSecureRequiredChargeDeclined": Card(
        last4="1629", code="card_declined", decline_code="generic_decline", asks="always"
    ),
    "threeDSecureRequiredProcessingError": Card(
        last4="1280",
        code="processing_error",
        message="An error occurred while processing your card. Try again in a little bit.",
        asks="always",
    ),
    "createDispute": Card(last4="0259", disputed="fraudulent"),
    "createDisputeProductNotReceived": Card(last4="2685", disputed="product_not_received"),
    "createDisputeInquiry": Card(last4="1976", disputed="product_not_received", inquiry=True),
    "pendingRefund": Card(last4="7726", refund="pending"),
    "refundFail": Card(last4="5126", refund="failed"),
}


def _debited(last4: str, code: str | None = None, kind: str = "us_bank_account") -> Card:
    message = f"The bank returned the payment: {(code or '').replace('_', ' ')}."
    return Card(brand="", last4=last4, code=code, message=message, debit=kind)


DEBITS: dict[str, Card] = {
    "usBankAccount_success": _debited("6789"),
    "usBankAccount_accountClosed": _debited("1113", "account_closed"),
    "usBankAccount_noAccount": _debited("1116", "no_account"),
    "usBankAccount_insufficientFunds": _debited("2227", "insufficient_funds"),
    "usBankAccount_debitNotAuthorized": _debited("3335", "debit_not_authorized"),
    "sepaDebit_success": _debited("3201", kind="sepa_debit"),
    "sepaDebit_fails": _debited("3202", "insufficient_funds", kind="sepa_debit"),
}
CARDS |= DEBITS
# A SEPA test account has no token but its number.
IBANS: dict[str, str] = {
    "AT611904300234573201": "sepaDebit_success",
    "AT861904300235473202": "sepaDebit_fails",
}


def card(token: str) -> tuple[str, Card] | None:
    """`pm_card_…`, `tok_…` or `pm_usBankAccount_…` → its name in the table and its behaviour; None for what is none."""
    for prefix in ("pm_card_visa_", "tok_visa_", "pm_card_", "tok_"):
        name = token.removeprefix(prefix)
        if name != token and name in CARDS and name not in DEBITS:
            return name, CARDS[name]
    name = token.removeprefix("pm_")
    return (name, DEBITS[name]) if name != token and name in DEBITS else None


@dataclass(frozen=True)
class Bank:
    """A test bank account: `fails` with this code, before or after the payout was called paid. `currency` and
    `country` are those of the account unless it has its own."""

    last4: str
    routing_number: str = "110000000"
    fails: str | None = None
    after_paid: bool = False
    currency: str = ""
    country: str = ""


BANKS: dict[str, Bank] = {
    "btok_us_verified": Bank("6789"),
    "btok_us": Bank("6789"),
    "btok_us_noAccount": Bank("1116", fails="no_account"),
    "btok_us_accountClosed": Bank("1113", fails="account_closed", after_paid=True),
    "btok_us_insufficientFunds": Bank("2227", fails="insufficient_funds"),
    "btok_us_debitNotAuthorized": Bank("3335", fails="debit_not_authorized", after_paid=True),
    "btok_us_invalidCurrency": Bank("4440", fails="invalid_currency"),
    # Stripe has no ready token for it: its library makes one of the test IBAN DE89370400440532013000.
    "btok_eur": Bank("3000", routing_number="37040044", currency="eur", country="DE"),
}

BANK_NUMBERS: dict[str, str] = {
    "000123456789": "btok_us",
    "000111111116": "btok_us_noAccount",
    "000111111113": "btok_us_accountClosed",
    "000222222227": "btok_us_insufficientFunds",
    "000333333335": "btok_us_debitNotAuthorized",
    "000444444440": "btok_us_invalidCurrency",
}

FAILURES: dict[str, str] = {
    "account_closed": "The bank account has been closed",
    "no_account": "The bank account details on file are probably incorrect. No bank account could be located",
    "insufficient_funds": "The account has insufficient funds to cover the payout",
    "debit_not_authorized": "Debit transactions are not approved on the bank account",
    "invalid_currency": "The bank was unable to process this payout because of its currency",
    "could_not_process": "The bank could not process this payout",
}
