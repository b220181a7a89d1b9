"""What each money event does to the accounts: one pure function per event, returning the journal.

Amounts are what happened, in minor units and above or equal to zero, except `fee` and `actual_fee`: those carry the
sign of Stripe's balance transaction (net = amount − fee; a fee that Stripe gives back is negative), so that
`stripe_balance` always equals the sum of the booked balance transactions.
"""

from __future__ import annotations

from core.ledger.journals import Journal, Posting
from core.ledger.postings.by_hand import journal_reversed, manual_journal, manual_journal_reversed
from core.ledger.postings.chargebacks import (
    chargeback_loss_overtaken,
    chargeback_lost_abroad,
    chargeback_lost_after_release,
    chargeback_lost_on_duplicate,
    chargeback_lost_while_held,
    chargeback_opened,
    chargeback_regained,
    chargeback_won,
)
from core.ledger.postings.charges import (
    charge_settled,
    duplicate_money,
    duplicate_refunded,
    suspense_settled,
    unknown_money,
)
from core.ledger.postings.connected_accounts import (
    payee_line_booked,
    payee_transfer_reversed,
    payout_failed,
    payout_paid,
    payout_returned,
    payout_sent,
    transfer_arrived,
)
from core.ledger.postings.exchange import exchanged
from core.ledger.postings.platform import (
    bank_line_unexplained,
    line_difference,
    opening_balance,
    platform_payout_failed,
    platform_payout_paid,
    platform_payout_returned,
    platform_payout_sent,
    processor_fee,
    top_up_returned,
    topped_up,
)
from core.ledger.postings.release_and_refund import (
    decided,
    refund_came_back,
    refund_canceled,
    refund_failed,
    refund_made_by_hand,
    refund_never_left,
    refund_returned,
    refund_succeeded,
)
from core.ledger.postings.withdrawals import (
    debt_written_off,
    receivable_offset,
    transfer_reversed,
    withdrawal,
    withdrawal_fee_charged,
)
from core.ledger.postings.year_end import year_closed, year_reopened

__all__ = [
    "Journal",
    "Posting",
    "bank_line_unexplained",
    "charge_settled",
    "chargeback_loss_overtaken",
    "chargeback_lost_abroad",
    "chargeback_lost_after_release",
    "chargeback_lost_on_duplicate",
    "chargeback_lost_while_held",
    "chargeback_opened",
    "chargeback_regained",
    "chargeback_won",
    "debt_written_off",
    "decided",
    "duplicate_money",
    "duplicate_refunded",
    "exchanged",
    "journal_reversed",
    "line_difference",
    "manual_journal",
    "manual_journal_reversed",
    "opening_balance",
    "payee_line_booked",
    "payee_transfer_reversed",
    "payout_failed",
    "payout_paid",
    "payout_returned",
    "payout_sent",
    "platform_payout_failed",
    "platform_payout_paid",
    "platform_payout_returned",
    "platform_payout_sent",
    "processor_fee",
    "receivable_offset",
    "refund_came_back",
    "refund_canceled",
    "refund_failed",
    "refund_made_by_hand",
    "refund_never_left",
    "refund_returned",
    "refund_succeeded",
    "suspense_settled",
    "top_up_returned",
    "topped_up",
    "transfer_arrived",
    "transfer_reversed",
    "unknown_money",
    "withdrawal",
    "withdrawal_fee_charged",
    "year_closed",
    "year_reopened",
]
