"""Money that Stripe converted: the payment is in one currency, its line on the balance in another.

A journal is in one currency, so there are two. What the desk owes stays in the payment's currency; what lies at Stripe
is in the line's; `exchange_difference` stands between them in both. When all of a payment has gone the same way back,
nothing is left of it there but what the rates of the two days differ by.
"""

from __future__ import annotations

from core.ledger.accounts import EXCHANGE_DIFFERENCE, FEE_VARIANCE, PROCESSOR_FEES, STRIPE_BALANCE
from core.ledger.journals import Journal, Posting, credit, debit
from core.money import Money

ESTIMATED = (PROCESSOR_FEES, FEE_VARIANCE)


def exchanged(journal: Journal, *, amount: Money, fee: Money, fees_to: str) -> tuple[Journal, Journal]:
    """What happened, in its own currency and without a fee, and what the line of `amount` and `fee` did at Stripe.

    `amount` and `fee` carry the line's signs. The processor's fee is known in the line's currency only, so an estimate
    of it in the other, and its variance, cancel out and are left away.
    """
    legs = tuple(each for each in journal.postings if each.account not in ESTIMATED)
    here = Journal(
        journal.key,
        journal.kind,
        tuple(
            Posting(EXCHANGE_DIFFERENCE if each.account == STRIPE_BALANCE else each.account, each.amount)
            for each in legs
        ),
        journal.milestone_id,
        journal.party_id,
        journal.memo,
        journal.cause,
    )
    there = Journal(
        f"{journal.key}.exchanged",
        "exchanged",
        (debit(STRIPE_BALANCE, amount - fee), debit(fees_to, fee), credit(EXCHANGE_DIFFERENCE, amount)),
        journal.milestone_id,
        journal.party_id,
        "Converted by Stripe",
        journal.cause,
    )
    return here, there
