"""What each money event does to the accounts: one pure function per event, returning the journal.

Amounts are what happened, in minor units and above or equal to zero, except `fee` and `actual_fee`: those carry the
sign of Stripe's balance transaction (net = amount − fee; a fee that Stripe gives back is negative), so that
`stripe_balance` always equals the sum of the booked balance transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.ledger.accounts import (
    BANK,
    CHARGEBACK_LOSSES,
    CONNECTED_CLAIM,
    DISPUTE_FEES,
    DISPUTED_FUNDS,
    FEE_VARIANCE,
    PAYOUT_IN_TRANSIT,
    PLATFORM_FEE_REVENUE,
    PROCESSING_FEE_RECOVERY,
    PROCESSOR_FEES,
    REFUND_CONCESSION,
    STRIPE_BALANCE,
    SUSPENSE,
    UNAPPLIED_FUNDS,
    WITHDRAWAL_FEE_REVENUE,
    connected_balance,
    connected_in_transit,
    deferred_platform_fee,
    held,
    payee_payable,
    receivable_payee,
    refund_payable,
)
from core.ledger.journal import Journal, Posting, at_least_zero, credit, debit
from core.money import Money

Cause = Mapping[str, Any]


# Paying in


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


# Deciding


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


# Paying out


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
    """What the payee owes is kept back from what the payee has not withdrawn yet."""
    at_least_zero(key, offset=amount)
    postings = (debit(payee_payable(party_id), amount), credit(receivable_payee(party_id), amount))
    return Journal(
        key, "receivable_offset", postings, milestone_id, party_id, "Debt kept back from earnings", cause
    )


# Chargebacks


def chargeback_opened(
    *, key: str, milestone_id: int | None, party_id: int | None, amount: Money, fee: Money, cause: Cause
) -> Journal:
    """The bank took the money back for now, and Stripe its fee for the dispute."""
    at_least_zero(key, chargeback=amount)
    return Journal(
        key,
        "chargeback_opened",
        (debit(DISPUTED_FUNDS, amount), debit(DISPUTE_FEES, fee), credit(STRIPE_BALANCE, amount + fee)),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Chargeback opened",
        cause=cause,
    )


def chargeback_won(
    *, key: str, milestone_id: int | None, party_id: int | None, amount: Money, fee: Money, cause: Cause
) -> Journal:
    """The money came back, with the fee of the dispute when Stripe returns it (`fee` < 0)."""
    at_least_zero(key, chargeback=amount)
    return Journal(
        key,
        "chargeback_won",
        (debit(STRIPE_BALANCE, amount - fee), debit(DISPUTE_FEES, fee), credit(DISPUTED_FUNDS, amount)),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Chargeback won",
        cause=cause,
    )


def chargeback_lost_while_held(
    *,
    key: str,
    milestone_id: int,
    party_id: int | None,
    amount: Money,
    held_part: Money,
    fee_part: Money,
    cause: Cause,
) -> Journal:
    """Lost before a decision: it takes what is held and the unearned platform fee; the rest, as the processor fee that
    the payer had paid, is our loss."""
    parts = (debit(held(milestone_id), held_part), debit(deferred_platform_fee(milestone_id), fee_part))
    return _chargeback_lost("chargeback_lost_while_held", key, milestone_id, party_id, amount, parts, cause)


def chargeback_lost_after_release(
    *,
    key: str,
    milestone_id: int,
    party_id: int,
    amount: Money,
    receivable: Money,
    fee_part: Money,
    cause: Cause,
    refund_due: Money | None = None,
) -> Journal:
    """Lost after a decision: the payee (`party_id`) owes what was released, the earned platform fee is given up, a
    refund still due to the payer (`refund_due`) has been taken by the bank instead, the rest is our loss."""
    parts = (
        debit(receivable_payee(party_id), receivable),
        debit(refund_payable(milestone_id), refund_due or Money.zero(amount.currency)),
        debit(PLATFORM_FEE_REVENUE, fee_part),
    )
    return _chargeback_lost(
        "chargeback_lost_after_release", key, milestone_id, party_id, amount, parts, cause
    )


def _chargeback_lost(
    kind: str,
    key: str,
    milestone_id: int,
    party_id: int | None,
    amount: Money,
    parts: tuple[Posting, ...],
    cause: Cause,
) -> Journal:
    loss = amount - Money.total((part.amount for part in parts), amount.currency)
    at_least_zero(key, loss=loss, **{part.account.partition(":")[0]: part.amount for part in parts})
    postings = (*parts, debit(CHARGEBACK_LOSSES, loss), credit(DISPUTED_FUNDS, amount))
    return Journal(key, kind, postings, milestone_id, party_id, "Chargeback lost", cause)


# The platform's own money


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


# The payees' own money, in their book


def transfer_arrived(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """The transfer of a withdrawal is on the payee's Stripe balance."""
    return _payee(
        key,
        "transfer_arrived",
        party_id,
        amount,
        "Arrived at the payee's Stripe balance",
        cause,
        source=CONNECTED_CLAIM,
        target=connected_balance(party_id),
    )


def transfer_taken_back(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """The other side of `transfer_reversed`."""
    return _payee(
        key,
        "transfer_taken_back",
        party_id,
        amount,
        "Taken back from the payee's Stripe balance",
        cause,
        source=connected_balance(party_id),
        target=CONNECTED_CLAIM,
    )


def payout_sent(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    return _payee(
        key,
        "payout_sent",
        party_id,
        amount,
        "Payout on the way",
        cause,
        source=connected_balance(party_id),
        target=connected_in_transit(party_id),
    )


def payout_paid(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    return _payee(
        key,
        "payout_paid",
        party_id,
        amount,
        "Payout arrived",
        cause,
        source=connected_in_transit(party_id),
        target=CONNECTED_CLAIM,
    )


def payout_failed(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """Failed on the way; the money is on the payee's Stripe balance again."""
    return _payee(
        key,
        "payout_failed",
        party_id,
        amount,
        "Payout failed",
        cause,
        source=connected_in_transit(party_id),
        target=connected_balance(party_id),
    )


def payout_returned(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """Came back after `payout_paid` (within five business days); on the payee's Stripe balance again."""
    return _payee(
        key,
        "payout_returned",
        party_id,
        amount,
        "Payout came back",
        cause,
        source=CONNECTED_CLAIM,
        target=connected_balance(party_id),
    )


def _payee(
    key: str, kind: str, party_id: int, amount: Money, memo: str, cause: Cause, *, source: str, target: str
) -> Journal:
    at_least_zero(key, amount=amount)
    return Journal(key, kind, (debit(target, amount), credit(source, amount)), None, party_id, memo, cause)
