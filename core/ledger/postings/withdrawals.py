"""Money that goes to a payee, and money that a payee owes."""

from __future__ import annotations

from core.ledger.accounts import (
    BAD_DEBT,
    STRIPE_BALANCE,
    WITHDRAWAL_FEE_REVENUE,
    payee_payable,
    receivable_payee,
)
from core.ledger.journals import Cause, Journal, at_least_zero, credit, debit
from core.money import Money


def withdrawal(
    *, key: str, party_id: int, amount: Money, fee: Money, cause: Cause, milestone_id: int | None = None
) -> Journal:
    """The payee withdraws `amount`; the withdrawal fee is taken from it and the rest is transferred
    (milestone-payment-flow, Key Business Rules 4: fees vary by withdrawal method)."""
    at_least_zero(key, withdrawal=amount, withdrawal_fee=fee, transfer=amount - fee)
    return Journal(
        key,
        "withdrawal",
        (
            debit(payee_payable(party_id), amount),
            credit(STRIPE_BALANCE, amount - fee),
            credit(WITHDRAWAL_FEE_REVENUE, fee),
        ),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Transferred to the payee",
        cause=cause,
    )


def transfer_reversed(
    *, key: str, party_id: int, amount: Money, cause: Cause, milestone_id: int | None = None
) -> Journal:
    """Money came back from the payee's Stripe account and settles what the payee owes."""
    at_least_zero(key, reversal=amount)
    postings = (debit(STRIPE_BALANCE, amount), credit(receivable_payee(party_id), amount))
    return Journal(
        key, "transfer_reversed", postings, milestone_id, party_id, "Taken back from the payee", cause
    )


def receivable_offset(
    *, key: str, party_id: int, amount: Money, cause: Cause, milestone_id: int | None = None
) -> Journal:
    """What the payee owes is set off against what the payee has not withdrawn yet."""
    at_least_zero(key, offset=amount)
    postings = (debit(payee_payable(party_id), amount), credit(receivable_payee(party_id), amount))
    return Journal(
        key, "receivable_offset", postings, milestone_id, party_id, "Set-off against the payee's debt", cause
    )


def withdrawal_fee_charged(
    *, key: str, party_id: int, fee: Money, cause: Cause, milestone_id: int | None = None
) -> Journal:
    """The payee takes a dearer method after the transfer was made: they owe its fee, and a reversal of as much of the
    transfer settles it (milestone-payment-flow, Key Business Rules 4)."""
    at_least_zero(key, withdrawal_fee=fee)
    postings = (debit(receivable_payee(party_id), fee), credit(WITHDRAWAL_FEE_REVENUE, fee))
    return Journal(
        key, "withdrawal_fee_charged", postings, milestone_id, party_id, "Fee of another payout method", cause
    )


def debt_written_off(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """What a payee owes is given up: the platform bears it."""
    at_least_zero(key, written_off=amount)
    postings = (debit(BAD_DEBT, amount), credit(receivable_payee(party_id), amount))
    return Journal(key, "debt_written_off", postings, None, party_id, "Debt written off", cause)
