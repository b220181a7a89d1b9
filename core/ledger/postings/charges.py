"""Money that comes in: a charge for a milestone, money that comes twice, money that nothing explains."""

from __future__ import annotations

from core.ledger.accounts import (
    FEE_VARIANCE,
    PROCESSING_FEE_RECOVERY,
    PROCESSOR_FEES,
    STRIPE_BALANCE,
    SUSPENSE,
    UNAPPLIED_FUNDS,
    deferred_platform_fee,
    held,
)
from core.ledger.journals import Cause, Journal, at_least_zero, credit, debit
from core.money import Money


def charge_settled(
    *,
    key: str,
    milestone_id: int,
    party_id: int,
    charge: Money,
    milestone: Money,
    platform_fee: Money,
    actual_fee: Money,
    cause: Cause,
) -> Journal:
    """The payer's charge has a balance transaction. What the payer paid beyond milestone and platform fee is the
    processor fee passed through (milestone-payment-flow, Key Business Rules 4); the actual fee is booked, and its
    difference from that estimate goes to `fee_variance`."""
    estimate = charge - milestone - platform_fee
    at_least_zero(key, milestone=milestone, platform_fee=platform_fee, processing_fee=estimate)
    return Journal(
        key,
        "charge_settled",
        (
            debit(STRIPE_BALANCE, charge - actual_fee),
            debit(PROCESSOR_FEES, estimate),
            debit(FEE_VARIANCE, actual_fee - estimate),
            credit(held(milestone_id), milestone),
            credit(deferred_platform_fee(milestone_id), platform_fee),
            credit(PROCESSING_FEE_RECOVERY, estimate),
        ),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Payment received and held",
        cause=cause,
    )


def duplicate_money(
    *, key: str, milestone_id: int | None, party_id: int | None, charge: Money, fee: Money, cause: Cause
) -> Journal:
    """The payer paid again for what was already funded: the whole of it is owed back, the processor's fee is ours."""
    return Journal(
        key,
        "duplicate_money",
        (debit(STRIPE_BALANCE, charge - fee), debit(PROCESSOR_FEES, fee), credit(UNAPPLIED_FUNDS, charge)),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Payment received twice",
        cause=cause,
    )


def duplicate_refunded(
    *, key: str, milestone_id: int | None, party_id: int | None, amount: Money, fee: Money, cause: Cause
) -> Journal:
    """Money received twice went back to the payer."""
    at_least_zero(key, refund=amount)
    return Journal(
        key,
        "duplicate_refunded",
        (debit(UNAPPLIED_FUNDS, amount), debit(PROCESSOR_FEES, fee), credit(STRIPE_BALANCE, amount + fee)),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Second payment refunded",
        cause=cause,
    )


def unknown_money(*, key: str, amount: Money, fee: Money, cause: Cause) -> Journal:
    """A balance transaction that nothing on the desk explains, with its sign, waits in `suspense` for a person."""
    return Journal(
        key,
        "unknown_money",
        (debit(STRIPE_BALANCE, amount - fee), debit(PROCESSOR_FEES, fee), credit(SUSPENSE, amount)),
        memo="Unexplained balance transaction",
        cause=cause,
    )


def suspense_settled(
    *, key: str, account: str, amount: Money, milestone_id: int | None = None, cause: Cause
) -> Journal:
    """A person has said what unexplained money was: with its sign, it goes to that account. Of what a line of a
    milestone differs by, the milestone is known."""
    return Journal(
        key,
        "suspense_settled",
        (debit(SUSPENSE, amount), credit(account, amount)),
        milestone_id=milestone_id,
        memo="Unexplained money settled",
        cause=cause,
    )
