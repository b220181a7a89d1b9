"""What an approval or a decision does to what is held, and what becomes of the refunds it orders."""

from __future__ import annotations

from core.ledger.accounts import (
    BANK,
    BANK_CHARGES,
    PLATFORM_FEE_REVENUE,
    PROCESSOR_FEES,
    REFUND_CONCESSION,
    STRIPE_BALANCE,
    SUSPENSE,
    deferred_platform_fee,
    held,
    payee_payable,
    refund_payable,
)
from core.ledger.journals import Cause, Journal, at_least_zero, credit, debit
from core.money import Money


def decided(
    *,
    key: str,
    milestone_id: int,
    payee_id: int,
    release: Money,
    refund: Money,
    fee_kept: Money,
    fee_returned: Money,
    concession: Money,
    cause: Cause,
) -> Journal:
    """An approval or a decision divides what is held: `release` to the payee, `refund` of the milestone amount and
    `fee_returned` of the platform fee to the payer, `fee_kept` is earned. `concession` is what the platform adds from
    its own pocket (payment-escrow-rules, Refund Rules: grounds where it absorbs the processor fee)."""
    at_least_zero(
        key,
        release=release,
        refund=refund,
        fee_kept=fee_kept,
        fee_returned=fee_returned,
        concession=concession,
    )
    return Journal(
        key,
        "decided",
        (
            debit(held(milestone_id), release + refund),
            debit(deferred_platform_fee(milestone_id), fee_kept + fee_returned),
            debit(REFUND_CONCESSION, concession),
            credit(payee_payable(payee_id), release),
            credit(refund_payable(milestone_id), refund + fee_returned + concession),
            credit(PLATFORM_FEE_REVENUE, fee_kept),
        ),
        milestone_id=milestone_id,
        party_id=payee_id,
        memo=_outcome(release, refund),
        cause=cause,
    )


def _outcome(release: Money, refund: Money) -> str:
    if refund.is_zero:
        return "Released to the payee"
    return "Refund to the payer" if release.is_zero else "Partly released, the rest refunded"


def refund_succeeded(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, fee: Money, cause: Cause
) -> Journal:
    """The payer has the money back. `fee` is the refund's own balance-transaction fee, often negative."""
    at_least_zero(key, refund=amount)
    return Journal(
        key,
        "refund_succeeded",
        (
            debit(refund_payable(milestone_id), amount),
            debit(PROCESSOR_FEES, fee),
            credit(STRIPE_BALANCE, amount + fee),
        ),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Refunded to the payer",
        cause=cause,
    )


def refund_failed(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, fee: Money, cause: Cause
) -> Journal:
    """A refund failed after it was booked: the money is back with us, and the debt to the payer is open again."""
    return _refund_undone("refund_failed", "Refund failed", key, milestone_id, party_id, amount, fee, cause)


def refund_canceled(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, fee: Money, cause: Cause
) -> Journal:
    """A refund was canceled after it was booked: the debt to the payer is open again."""
    return _refund_undone(
        "refund_canceled", "Refund canceled", key, milestone_id, party_id, amount, fee, cause
    )


def _refund_undone(
    kind: str,
    memo: str,
    key: str,
    milestone_id: int,
    party_id: int | None,
    amount: Money,
    fee: Money,
    cause: Cause,
) -> Journal:
    at_least_zero(key, refund=amount)
    return Journal(
        key,
        kind,
        (
            debit(STRIPE_BALANCE, amount - fee),
            debit(PROCESSOR_FEES, fee),
            credit(refund_payable(milestone_id), amount),
        ),
        milestone_id=milestone_id,
        party_id=party_id,
        memo=memo,
        cause=cause,
    )


def refund_returned(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, cause: Cause
) -> Journal:
    """A refund that came back to us was sent from our bank: the debt to the payer is paid."""
    at_least_zero(key, refund=amount)
    postings = (debit(refund_payable(milestone_id), amount), credit(BANK, amount))
    return Journal(key, "refund_returned", postings, milestone_id, party_id, "Refunded from our bank", cause)


def refund_came_back(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, kept: Money, cause: Cause
) -> Journal:
    """A line in suspense was a refund that had been sent from our bank: `amount` is owed to the payer again, also where
    the banks `kept` a part."""
    at_least_zero(key, refund=amount, kept=kept, arrived=amount - kept)
    postings = (
        debit(SUSPENSE, amount - kept),
        debit(BANK_CHARGES, kept),
        credit(refund_payable(milestone_id), amount),
    )
    memo = "A refund sent from our bank came back"
    return Journal(key, "refund_came_back", postings, milestone_id, party_id, memo, cause)


def refund_never_left(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, cause: Cause
) -> Journal:
    """What was booked as sent from our bank never left it: the debt to the payer is open again."""
    at_least_zero(key, refund=amount)
    postings = (debit(BANK, amount), credit(refund_payable(milestone_id), amount))
    memo = "A refund booked as sent from our bank never left it"
    return Journal(key, "refund_never_left", postings, milestone_id, party_id, memo, cause)


def refund_made_by_hand(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, more: Money, cause: Cause
) -> Journal:
    """A line in suspense was the refund that was owed: the debt to the payer is paid, `more` is the platform's gift."""
    at_least_zero(key, refund=amount, more=more)
    postings = (
        debit(refund_payable(milestone_id), amount),
        debit(REFUND_CONCESSION, more),
        credit(SUSPENSE, amount + more),
    )
    return Journal(
        key, "refund_made_by_hand", postings, milestone_id, party_id, "Refunded by hand at Stripe", cause
    )
