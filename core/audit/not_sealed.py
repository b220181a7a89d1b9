"""What is not under seal, table by table, with the reason: whoever verifies must know what that leaves out.

Under seal are entries and journals themselves, and words whose hash an entry keeps (`content_hashes.PARTS`). A test
holds this list against the catalogue of the database: a new table is sealed, or stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

SEALED = frozenset({"audit_entries", "journals"})


class Why(StrEnum):
    PROOF = "It is the proof: chained and signed, and compared with what lies outside."
    DERIVED = "It is computed again from sealed journals, by a check."
    STATED = (
        "It is what Stripe or a bank states, or where its reading stopped: reconciliation reads it again."
    )
    PASSING = "It is work in progress, a queue, a session or somebody's screen: nothing is decided by it."
    FIXED = "It is law that a migration wrote: a test holds it against the code."
    GAP = "It matters, and is not sealed yet: what people did leaves entries, but a row that SQL alters is not found."


def _named(why: Why, tables: str) -> dict[str, Why]:
    return dict.fromkeys(tables.split(), why)


NOT_SEALED: Mapping[str, Why] = {
    **_named(Why.PROOF, "seals seal_epochs signing_keys"),
    **_named(Why.DERIVED, "balances register hot_balances daily_totals marketplace_totals ledger_roll_up"),
    **_named(
        Why.STATED,
        "balance_transactions statement_lines payee_statement_lines stripe_balances stripe_payouts statement_cursors"
        " payee_accounts reconciliation_runs reconciliation_breaks",
    ),
    **_named(
        Why.PASSING,
        "decision_drafts unsent_texts tab_keys staff_preferences staff_sessions case_visits webhook_events"
        " outgoing_events event_deliveries api_answers rate_buckets demo_clock period_reminders debt_reminders",
    ),
    **_named(Why.FIXED, "chart currencies status_moves milestone_moves"),
    **_named(
        Why.GAP,
        "accounts api_keys bank_changes bank_charge_rules bank_match_lines bank_match_postings bank_matches"
        " bank_statement_lines breaks case_reveals chargebacks charges document_series duplicate_payments"
        " engagements evidence_views failed_returns final_ratings installation ledger_lock legal_checks"
        " letter_preferences line_corrections milestones outgoing_operations parties party_changes payment_events"
        " payment_method_setups payment_orders payout_offers payout_stops payouts policy_proposals policy_versions"
        " practice_flags project_reviews projects refund_returns refunds review_rounds settlement_currencies"
        " staff_ties suspense_items unhashed_content webhook_endpoints",
    ),
}
