"""Money of the platform between Stripe and its bank."""

from __future__ import annotations

from core.ledger.accounts import (
    BANK,
    OPENING_BALANCES,
    PAYOUT_IN_TRANSIT,
    PROCESSOR_FEES,
    STRIPE_BALANCE,
    SUSPENSE,
)
from core.ledger.journals import Cause, Journal, at_least_zero, credit, debit
from core.money import Money


def opening_balance(*, key: str, account: str, amount: Money, cause: Cause) -> Journal:
    """What lay on an account before the books began: a debit above zero, a credit below it."""
    postings = (debit(account, amount), credit(OPENING_BALANCES, amount))
    return Journal(key, "opening_balance", postings, memo="Opening balance", cause=cause)


def topped_up(*, key: str, amount: Money, cause: Cause) -> Journal:
    """The platform put money of its own into its Stripe balance."""
    at_least_zero(key, top_up=amount)
    return Journal(
        key, "topped_up", (debit(STRIPE_BALANCE, amount), credit(BANK, amount)), memo="Top-up", cause=cause
    )


def top_up_returned(*, key: str, amount: Money, cause: Cause) -> Journal:
    """A top-up went back to the platform's bank."""
    at_least_zero(key, top_up=amount)
    postings = (debit(BANK, amount), credit(STRIPE_BALANCE, amount))
    return Journal(key, "top_up_returned", postings, memo="Top-up returned", cause=cause)


def platform_payout_sent(*, key: str, amount: Money, fee: Money, cause: Cause) -> Journal:
    """The platform pays itself from Stripe; on the way."""
    at_least_zero(key, payout=amount)
    postings = (
        debit(PAYOUT_IN_TRANSIT, amount),
        debit(PROCESSOR_FEES, fee),
        credit(STRIPE_BALANCE, amount + fee),
    )
    return Journal(key, "platform_payout_sent", postings, memo="Payout to the bank", cause=cause)


def platform_payout_paid(*, key: str, amount: Money, cause: Cause) -> Journal:
    at_least_zero(key, payout=amount)
    postings = (debit(BANK, amount), credit(PAYOUT_IN_TRANSIT, amount))
    return Journal(key, "platform_payout_paid", postings, memo="Payout arrived at the bank", cause=cause)


def platform_payout_failed(*, key: str, amount: Money, fee: Money, cause: Cause) -> Journal:
    """It failed, or was called off, on the way; a fee that Stripe gives back is negative."""
    return _back(PAYOUT_IN_TRANSIT, "platform_payout_failed", key, amount, fee, cause)


def platform_payout_returned(*, key: str, amount: Money, fee: Money, cause: Cause) -> Journal:
    """The bank sent it back after it had arrived."""
    return _back(BANK, "platform_payout_returned", key, amount, fee, cause)


def _back(source: str, kind: str, key: str, amount: Money, fee: Money, cause: Cause) -> Journal:
    at_least_zero(key, payout=amount)
    postings = (debit(STRIPE_BALANCE, amount - fee), debit(PROCESSOR_FEES, fee), credit(source, amount))
    return Journal(key, kind, postings, memo="Payout to the bank failed", cause=cause)


def processor_fee(*, key: str, amount: Money, cause: Cause) -> Journal:
    """A fee of Stripe's that belongs to no payment; negative when Stripe gives one back."""
    postings = (debit(PROCESSOR_FEES, amount), credit(STRIPE_BALANCE, amount))
    return Journal(key, "processor_fee", postings, memo="Processor fee", cause=cause)


def line_difference(*, key: str, amount: Money, cause: Cause) -> Journal:
    """What Stripe's statement has more of a line than was booked for it waits in `suspense` with its sign."""
    postings = (debit(STRIPE_BALANCE, amount), credit(SUSPENSE, amount))
    return Journal(key, "line_difference", postings, memo="Difference of a balance transaction", cause=cause)


def bank_line_unexplained(*, key: str, amount: Money, cause: Cause) -> Journal:
    """A line of our bank, or what it differs by from its match, waits in `suspense` with its sign."""
    postings = (debit(BANK, amount), credit(SUSPENSE, amount))
    return Journal(key, "bank_line_unexplained", postings, memo="Unexplained bank line", cause=cause)
