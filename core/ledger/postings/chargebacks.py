"""A chargeback: the bank takes the money first and decides later."""

from __future__ import annotations

from core.ledger.accounts import (
    CHARGEBACK_LOSSES,
    DISPUTE_FEES,
    DISPUTED_FUNDS,
    PLATFORM_FEE_REVENUE,
    STRIPE_BALANCE,
    UNAPPLIED_FUNDS,
    deferred_platform_fee,
    held,
    receivable_payee,
    refund_payable,
)
from core.ledger.journals import Cause, Journal, Posting, at_least_zero, credit, debit
from core.money import Money


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


def chargeback_lost_abroad(
    *, key: str, milestone_id: int, party_id: int | None, amount: Money, cause: Cause
) -> Journal:
    """Lost in another currency than the milestone's: our loss, until a person has decided what becomes of the rest."""
    return _chargeback_lost("chargeback_lost_abroad", key, milestone_id, party_id, amount, (), cause)


def chargeback_lost_on_duplicate(
    *,
    key: str,
    milestone_id: int,
    party_id: int,
    amount: Money,
    unapplied: Money,
    cause: Cause,
) -> Journal:
    """A chargeback about a payment that came twice is lost: the bank has returned it in our place, as far as it still
    lay here; what had gone back to the payer before is our loss."""
    parts = (debit(UNAPPLIED_FUNDS, unapplied),)
    return _chargeback_lost("chargeback_lost_on_duplicate", key, milestone_id, party_id, amount, parts, cause)


def chargeback_loss_overtaken(
    *, key: str, milestone_id: int, party_id: int, amount: Money, owed: str, cause: Cause
) -> Journal:
    """A refund came back after its payment was charged back and lost: what we had borne of that was owed to the payer
    anyway (`owed`: where the debt lies), and they have it from the bank."""
    at_least_zero(key, overtaken=amount)
    return Journal(
        key,
        "chargeback_loss_overtaken",
        (debit(owed, amount), credit(CHARGEBACK_LOSSES, amount)),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Refund came back, the bank had paid",
        cause=cause,
    )


def chargeback_regained(
    *, key: str, milestone_id: int, party_id: int, amount: Money, fee: Money, owed: str, cause: Cause
) -> Journal:
    """Won after it was lost: the money is back, and owed to the payer as before (`owed`: where that debt lies)."""
    at_least_zero(key, chargeback=amount)
    return Journal(
        key,
        "chargeback_regained",
        (debit(STRIPE_BALANCE, amount - fee), debit(DISPUTE_FEES, fee), credit(owed, amount)),
        milestone_id=milestone_id,
        party_id=party_id,
        memo="Chargeback won after all",
        cause=cause,
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
