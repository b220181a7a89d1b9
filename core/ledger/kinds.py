"""Which money of customers each kind of journal moves, and to which side. The database refuses every other journal.

Money of customers is what is held, owed to a payee or a payer, owed by a payee, or not yet applied, and the memo book
of the payees' own accounts. The lines of the platform itself (Stripe's balance, fees, income) take either side, since
fees come back. The table `journal_kinds` holds the same, and a test holds both together.
"""

from __future__ import annotations

from collections.abc import Mapping

# Kind: the customers' lines of the chart that it debits, and those that it credits.
KINDS: Mapping[str, tuple[str, str]] = {
    "bank_line_unexplained": ("", ""),
    "charge_settled": ("", "held deferred_platform_fee"),
    "chargeback_loss_overtaken": ("refund_payable unapplied_funds", ""),
    "chargeback_lost_abroad": ("", ""),
    "chargeback_lost_after_release": ("receivable_payee refund_payable", ""),
    "chargeback_lost_on_duplicate": ("unapplied_funds", ""),
    "chargeback_lost_while_held": ("held deferred_platform_fee", ""),
    "chargeback_opened": ("", ""),
    "chargeback_regained": ("", "refund_payable unapplied_funds"),
    "chargeback_won": ("", ""),
    "debt_written_off": ("", "receivable_payee"),
    "decided": ("held deferred_platform_fee", "payee_payable refund_payable"),
    "duplicate_money": ("", "unapplied_funds"),
    "duplicate_refunded": ("unapplied_funds", ""),
    "exchanged": ("", ""),
    "journal_reversed": ("receivable_payee", "receivable_payee"),
    "line_difference": ("", ""),
    "manual_journal": ("receivable_payee", "receivable_payee"),
    "manual_journal_reversed": ("receivable_payee", "receivable_payee"),
    "opening_balance": ("", ""),
    "payee_line_booked": (
        "connected_balance connected_in_transit connected_claim",
        "connected_balance connected_in_transit connected_claim",
    ),
    "payee_transfer_reversed": ("connected_claim", "connected_balance"),
    "payout_failed": ("connected_balance", "connected_in_transit"),
    "payout_paid": ("connected_claim", "connected_in_transit"),
    "payout_returned": ("connected_balance", "connected_claim"),
    "payout_sent": ("connected_in_transit", "connected_balance"),
    "platform_payout_failed": ("", ""),
    "platform_payout_paid": ("", ""),
    "platform_payout_returned": ("", ""),
    "platform_payout_sent": ("", ""),
    "processor_fee": ("", ""),
    "receivable_offset": ("payee_payable", "receivable_payee"),
    "refund_came_back": ("", "refund_payable"),
    "refund_canceled": ("", "refund_payable"),
    "refund_failed": ("", "refund_payable"),
    "refund_made_by_hand": ("refund_payable", ""),
    "refund_never_left": ("", "refund_payable"),
    "refund_returned": ("refund_payable", ""),
    "refund_succeeded": ("refund_payable", ""),
    "suspense_settled": ("unapplied_funds receivable_payee", "unapplied_funds receivable_payee"),
    "top_up_returned": ("", ""),
    "topped_up": ("", ""),
    "transfer_arrived": ("connected_balance", "connected_claim"),
    "transfer_reversed": ("", "receivable_payee"),
    "unknown_money": ("", ""),
    "withdrawal": ("payee_payable", ""),
    "withdrawal_fee_charged": ("receivable_payee", ""),
    "year_closed": ("", ""),
    "year_reopened": ("", ""),
}
OF_CUSTOMERS = (
    "held refund_payable deferred_platform_fee payee_payable receivable_payee unapplied_funds"
    " connected_claim connected_balance connected_in_transit"
)
