"""Every row of these tables is under seal: a trigger logs the hash of each row that is written (`row_changes`).

Where a row is named, it is by the values of its primary key, with hyphens between. `not_sealed` says which tables are
not here, and why; a test holds both against the catalogue of the database.
"""

from __future__ import annotations

from collections.abc import Mapping

BY_ID = (
    "api_keys bank_accounts bank_change_proposals bank_changes bank_charge_rules bank_matches "
    "bank_statement_files bank_statement_lines bank_statements breaks cases chargeback_acceptances "
    "chargeback_evidence chargeback_files chargeback_remarks chargebacks charges csv_mappings "
    "debt_write_offs decisions duplicate_payments emergency_grants erasures evidence evidence_notes group_roles "
    "handovers hold_lifts holds installation legal_holds legal_signatures line_corrections manual_journals messages "
    "milestones notifications outgoing_operations parties party_changes party_requests payee_holds payment_events "
    "payment_method_setups payout_offers payout_stops payouts period_reopenings periods policy_proposals "
    "policy_versions practice_flags project_reviews projects provider_roles receipts refund_returns refunds "
    "repayment_instalments repayment_plans reports risk_reviews role_grants settlement_proposals staff "
    "staff_invitations suspense_items webhook_endpoints"
)
BY_OTHER_KEYS: Mapping[str, tuple[str, ...]] = {
    "bank_match_lines": ("line_id",),
    "bank_match_postings": ("journal_id", "currency"),
    "case_reveals": ("case_id", "staff_id"),
    "document_series": ("series", "year"),
    "engagements": ("project_id",),
    "evidence_views": ("evidence_id", "staff_id"),
    "failed_returns": ("return_id",),
    "final_ratings": ("project_id", "party_id"),
    "letter_preferences": ("party_id",),
    "payment_orders": ("milestone_id",),
    "recusals": ("case_id", "staff_id"),
    "review_rounds": ("project_id",),
    "settlement_currencies": ("currency",),
    "staff_roles": ("staff_id", "role"),
    "staff_ties": ("staff_id", "party_id"),
    "ties_ruled_out": ("staff_id", "party_id"),
    "unhashed_content": ("part", "row_id"),
    "year_end_entries": ("journal_id",),
}
TABLES: Mapping[str, tuple[str, ...]] = dict(
    sorted({**dict.fromkeys(BY_ID.split(), ("id",)), **BY_OTHER_KEYS}.items())
)

# Who people are, what money is whose and goes where, and who may do what: what is wrong there is said first.
FOREMOST = frozenset(
    (
        "parties party_changes staff bank_accounts bank_changes bank_change_proposals payment_method_setups"
        " payment_orders charges payouts payout_offers payout_stops refunds refund_returns duplicate_payments"
        " chargebacks chargeback_acceptances debt_write_offs repayment_plans repayment_instalments manual_journals"
        " suspense_items milestones projects decisions settlement_proposals holds hold_lifts payee_holds"
        " staff_roles role_grants group_roles provider_roles emergency_grants staff_invitations api_keys"
        " policy_versions policy_proposals legal_holds erasures"
    ).split()
)

# A change belongs to a transaction that left an audit entry, which says who did it and why. What the worker does by the
# way needs none: to add these rows, and to change no more than these columns. It is under seal all the same.
ADDED_BY_THE_WAY = frozenset({"notifications", "bank_matches", "bank_match_lines", "bank_match_postings"})
CHANGED_BY_THE_WAY: Mapping[str, str] = {
    "breaks": (
        "kind theirs ours ours_currency transaction_id journal_id suspense_item_id bank_line_id last_seen_at"
        " last_run_id"
    ),
    "notifications": "mail next_try_at",
    "outgoing_operations": "next_try_at finished_at",
    "payment_orders": "next_retry_at",
    "settlement_currencies": "at",
    "webhook_endpoints": "last_sequence",
}
