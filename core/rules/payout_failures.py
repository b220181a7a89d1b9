"""Why a payout came back, by the provider's code: in a sentence of ours, whether the same account will fail again, and
what helps.

A code that is not in `REPEATS` is not known to repeat itself: it may be tried again, unless the payee's account, as it
was read last, says that it cannot be paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import DeskError
from core.rules import payee_accounts
from core.rules.payee_accounts import AccountFacts
from core.rules.payouts import NotPaid


class WillFailAgain(DeskError):
    """The same account will fail again, so payout {payout} is not sent: {why} {remedy} To send it all the same, open
    the payout and tick “Send it to the same account all the same”."""


@dataclass(frozen=True)
class Failure:
    """`why` as a sentence, `remedy` what to do instead of sending it again unchanged."""

    why: str
    remedy: str


_OTHER_ACCOUNT = "Ask the payee to add another bank account first."
_CORRECT = "Ask the payee to correct the bank details first."
_BANK = "Ask the payee to settle it with their bank, or to add another bank account."

REPEATS: Mapping[str, Failure] = {
    "account_closed": Failure("The bank account is closed.", _OTHER_ACCOUNT),
    "account_frozen": Failure("The bank account is frozen.", _BANK),
    "bank_account_unusable": Failure("The bank account sent a payout back before.", _OTHER_ACCOUNT),
    "bank_account_restricted": Failure(
        "The bank account does not take this kind of payment.", _OTHER_ACCOUNT
    ),
    "bank_ownership_changed": Failure(
        "The bank belongs to another one now, and the account's number changed.", _CORRECT
    ),
    "debit_not_authorized": Failure("The bank account may not be used for payments from Stripe.", _BANK),
    "expired_card": Failure("The card is expired.", _OTHER_ACCOUNT),
    "incorrect_account_address": Failure("The address of the bank account is not right.", _CORRECT),
    "incorrect_account_holder": Failure("The account holder is not who the payee says.", _CORRECT),
    "incorrect_account_holder_address": Failure("The account holder's address is not right.", _CORRECT),
    "incorrect_account_holder_name": Failure("The account holder's name is not right.", _CORRECT),
    "incorrect_account_holder_tax_id": Failure("The account holder's tax id is not right.", _CORRECT),
    "invalid_account_number": Failure("The account number is not right.", _CORRECT),
    "invalid_account_number_length": Failure("The account number is too long or too short.", _CORRECT),
    "invalid_currency": Failure("The bank account does not take this currency.", _OTHER_ACCOUNT),
    "no_account": Failure("There is no such bank account.", _CORRECT),
    "unsupported_card": Failure("The bank does not take payouts to this card.", _OTHER_ACCOUNT),
}
ONCE: Mapping[str, str] = {
    "could_not_process": "The bank could not process it.",
    "declined": "The bank refused it and does not say why.",
    "insufficient_funds": "The payee's account at Stripe did not have enough money for it.",
}
UNSAID: Mapping[NotPaid, str] = {
    NotPaid.CAME_BACK: "The bank did not take it and does not say why.",
    NotPaid.REFUSED: "Stripe refused it, and nothing was sent.",
    NotPaid.UNKNOWN: "Whether it was sent is not known yet, and is being looked into.",
}
"""Where the provider gave no code, or one that is not known here."""
TOO_SMALL = "amount_too_small"
SMALL = Failure(
    "It is less than a bank in this currency can be paid, after a debt was set off.",
    "Settle it with the payee.",
)


def sentence(code: str | None, how: NotPaid) -> str:
    """Why it was not paid, for whoever reads it: staff, the payee, the marketplace."""
    if code == TOO_SMALL:
        return SMALL.why
    known = REPEATS.get(code or "")
    return known.why if known else ONCE.get(code or "", UNSAID[how])


def repeats(
    code: str | None, *, bank_changed: bool, account: AccountFacts | None, currency: str
) -> Failure | None:
    """What will make it fail again; None where that is not known, or the bank account is another one since, which
    does not help what is too small. `account`: the payee's as it was read last."""
    if code == TOO_SMALL:
        return SMALL
    known = None if bank_changed else REPEATS.get(code or "")
    return known or (None if account is None else _of_the_account(account, currency))


def _of_the_account(account: AccountFacts, currency: str) -> Failure | None:
    if currency in account.unusable:
        return REPEATS["bank_account_unusable"]
    if account.can_be_paid:
        return None
    given = payee_accounts.to_give(account, currency)
    remedy = (
        f"Ask the payee for it first: {given}." if given else "Wait until Stripe says that they can be paid."
    )
    return Failure(f"The payee cannot be paid yet: {payee_accounts.reason(account)}.", remedy)
