"""Money of the platform between Stripe and its bank."""

from __future__ import annotations

from core.ledger.accounts import BANK, PAYOUT_IN_TRANSIT, PROCESSOR_FEES, STRIPE_BALANCE
from core.ledger.journal import Cause, Journal, at_least_zero, credit, debit
from core.money import Money


def topped_up(*, key: str, amount: Money, cause: Cause) -> Journal:
    """The platform put money of its own into its Stripe balance."""
    at_least_zero(key, top_up=amount)
    return Journal(
        key, "topped_up", (debit(STRIPE_BALANCE, amount), credit(BANK, amount)), memo="Top-up", cause=cause
    )


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


def platform_payout_failed(*, key: str, amount: Money, cause: Cause) -> Journal:
    at_least_zero(key, payout=amount)
    postings = (debit(STRIPE_BALANCE, amount), credit(PAYOUT_IN_TRANSIT, amount))
    return Journal(key, "platform_payout_failed", postings, memo="Payout to the bank failed", cause=cause)


def processor_fee(*, key: str, amount: Money, cause: Cause) -> Journal:
    """A fee of Stripe's that belongs to no payment; negative when Stripe gives one back."""
    postings = (debit(PROCESSOR_FEES, amount), credit(STRIPE_BALANCE, amount))
    return Journal(key, "processor_fee", postings, memo="Processor fee", cause=cause)
