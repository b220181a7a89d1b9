"""What the application's login, `app`, may do by SQL: what the product does, and no more.

It reads every table and view of the desk. It adds rows to the tables of `KEEPS` and `CHANGES`, and of the latter it
changes these columns: never a number, a maker, a time of making, or words and amounts that were agreed. Ledger, audit
log, seals, roles and signing keys are written by the functions of `CALLS`, which check what they are asked. The job
queue's own tables and functions are its own.
A test holds this against the catalogue, table by table and verb by verb (`tests/migrations/test_logins.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

# Only read: written by the database itself, or by a function.
READS = (
    "account_balances account_postings accounts alembic_version audit_entries balances chart currencies "
    "daily_totals debts_due document_series fee_totals fees_of_journals found_ties group_roles hot_balances "
    "journal_kinds journals ledger_lock ledger_roll_up marketplace_accounts marketplace_totals "
    "milestone_moves party_changes personal_data posting_tail postings provider_roles register "
    "repayment_progress row_changes seal_epochs seals signing_keys staff_roles status_moves unhashed_content"
)

# Rows are added and stay as they are.
KEEPS = (
    "balance_transactions bank_match_lines bank_match_postings bank_statement_files bank_statement_lines "
    "bank_statements case_reveals chargeback_files chargeback_remarks csv_mappings debt_reminders "
    "event_deliveries evidence evidence_notes evidence_views failed_returns final_ratings handovers "
    "installation line_corrections messages payment_events period_reminders policy_versions "
    "project_reviews receipts recusals staff_ties stripe_balances tab_keys ties_ruled_out"
)

# What is old, and nothing is decided by, goes.
DELETES = "api_answers rate_buckets"

CHANGES: Mapping[str, str] = {
    "api_answers": "status body",
    "api_keys": "revoked_at expires_at",
    "bank_accounts": "name identifier",
    "bank_change_proposals": "status settled_by settled_at note",
    "bank_changes": "held_until ended_at refused_at",
    "bank_charge_rules": "ended_by ended_at",
    "bank_matches": "undone_at undone_by undone_reason",
    "breaks": (
        "kind class status theirs ours ours_currency transaction_id journal_id suspense_item_id "
        "bank_line_id last_run_id last_seen_at owner_id remark waits_until closed_at closed_as "
        "closed_by"
    ),
    "case_visits": "seen_at",
    "cases": (
        "details status escalated mediator_id version in_mediation_at decision_due_at waiting_on "
        "answer_due_at due_at resolved_at resolution resolution_notes"
    ),
    "check_runs": "next_try_at tries part done total results failure finished_at",
    "chargeback_acceptances": "status settled_by settled_at note",
    "chargeback_evidence": "submitted_by submitted_at",
    "chargebacks": (
        "status currency amount_minor booked_currency taken_minor lost_minor fees_currency fees_minor "
        "due_by past_due has_evidence submissions closed_at network network_code"
    ),
    "charges": (
        "status client_secret action_url confirm_by called_off_at code failure next_retry_at ended_at "
        "method_kind card_brand card_funding method_country"
    ),
    "debt_write_offs": "status settled_by settled_at note",
    "decision_drafts": "content version writer updated_at",
    "decisions": "status checker_id checked_at check_note execute_at executed_at",
    "demo_clock": "ahead began_at until stops stopped_at arrived_at trouble",
    "duplicate_payments": "charged_back_minor status operation_id stripe_refund returned_at",
    "emergency_grants": "stands reviewed_by settled_at note",
    "engagements": (
        "status scope_confirmed_by_payer_at scope_confirmed_by_payee_at fee_confirmed_at "
        "conflict_check_acknowledged_at disclaimers_acknowledged_at activated_at"
    ),
    "exports": "next_try_at expires_at tries done total facts failure finished_at fetched_at removed_at",
    "hold_lifts": "status settled_by settled_at note",
    "holds": "released_by released_at release_reason news expected_end reminded_at",
    "erasures": "status settled_by settled_at note files_gone_at",
    "legal_holds": "lifted_by lifted_at lift_reason",
    "legal_signatures": "reminded_at withdrawn_by withdrawn_at withdrawal_reason",
    "letter_preferences": "frequency muted changed_at",
    "manual_journals": "status settled_by settled_at note journal_id",
    "milestones": (
        "title deliverable amount_minor currency target_date acceptance_rule status outcome version "
        "activated_at funded_at completion_notice_at dispute_until auto_approve_at answer_due_at "
        "unanswered_at next_reminder_at reminder_level verified_at ended_at"
    ),
    "notifications": "mail status tries next_try_at error sent_at framed",
    "outgoing_events": "sequence status tries next_try_at error sent_at",
    "outgoing_operations": (
        "status attempt tries first_sent_at sending_since next_try_at provider_id last_error finished_at"
    ),
    "parties": (
        "name email city country language stripe_customer payment_method method_kind method_brand "
        "method_last4 method_saved_at stripe_account account_currency bank_token_sha256 "
        "withdrawal_method changed_at"
    ),
    "party_requests": "status ended_at",
    "payee_accounts": (
        "account transfers payouts_enabled details_submitted currently_due past_due "
        "pending_verification disabled_reason due_at banks read_at"
    ),
    "payee_holds": "expected_end reminded_at released_by released_at release_reason",
    "payee_statement_lines": (
        "account party_id kind reporting_category amount fee net currency source created_at "
        "available_at fetched_at"
    ),
    "payment_method_setups": "status payment_method code failure changed_at",
    "payment_orders": (
        "currency state amount_minor platform_fee_minor processing_fee_minor charge_minor "
        "funded_minor held_minor payable_minor refundable_minor released_minor refunded_minor "
        "fee_kept_minor in_flight chargeback_open canceled attempts stripe_payment_intent "
        "stripe_charge failure chosen_method retries next_retry_at funded_at settled_currency"
    ),
    "payout_offers": "status chosen_method settled_at",
    "payout_stops": "released_by released_at reason",
    "payouts": (
        "amount_minor fee_minor method status transfer_operation_id stripe_transfer stripe_payout "
        "failure failed_bank failure_code owner_id fee_waived_minor fee_waived_by arrival_at paid_at"
    ),
    "period_reopenings": "status settled_by settled_at note",
    "periods": "status reopening_id",
    "policy_proposals": "status settled_by settled_at note",
    "practice_flags": "resolution resolved_by resolved_at",
    "projects": "status funding completed_at",
    "rate_buckets": "tokens at granted",
    "readings": "last_at entered_at",
    "reconciliation_breaks": "break_id",
    "reconciliation_runs": (
        "status started_from lines matched in_suspense unmatched breaks totals error finished_at"
    ),
    "refund_returns": "status settled_by settled_at note",
    "refunds": "amount_minor milestone_part_minor status stripe_refund failure failure_code settled_at",
    "repayment_instalments": "fell_due_at",
    "repayment_plans": "ended_by ended_at end_reason",
    "reports": "outcome note settled_by settled_at",
    "restores": "released_at run_id reason",
    "review_rounds": "revealed_at",
    "risk_reviews": "reasons reports assigned_to outcome note settled_by settled_at",
    "role_grants": "status settled_by settled_at note",
    "settlement_currencies": "settles known_from at",
    "settlement_proposals": "status ended_at plan plan_hash",
    "staff": "skills active",
    "staff_invitations": "token_hash staff_id ended_by ended_at",
    "staff_preferences": "blind updated_at",
    "staff_sessions": "last_seen_at authenticated_at revoked_at provider_session",
    "statement_cursors": "read_until window_since window_until window_after looked_at failure",
    "statement_lines": "kind reporting_category amount fee net currency source created_at fetched_at",
    "stripe_payouts": (
        "account party_id amount currency status method automatic created_at arrival_at "
        "balance_transaction failure_balance_transaction failure_code destination fetched_at"
    ),
    "suspense_items": (
        "currency amount_minor status settled_as reason settled_by found_at settled_at why "
        "payment_intent milestone_id proposed_as target_id proposed_reason proposed_by proposed_at"
    ),
    "unsent_texts": "body version writer sent updated_at",
    "webhook_endpoints": "nonce removed_at last_sequence previous_nonce previous_until",
    "webhook_events": "status tries next_try_at error received_at finished_at",
    "year_end_entries": "reversal_id",
}
# Of these it adds none: a trigger does, or the owner of the tables who restores them.
ADDED_BY_TRIGGER = ("outgoing_events", "restores")

# Functions that act with the rights of their owner.
CALLS: Mapping[str, str] = {
    "announce_test": "a test event for an endpoint that is in use",
    "apply_group_roles": "roles, as the groups of the sign-in provider say that the owner chose",
    "bank_lines_hash": "the hash of a statement's lines",
    "carry_sessions": "a demo's sessions come along with its time",
    "erase_person": "a person, where two people approved it",
    "erasing": "whether that goes on in this transaction",
    "give_role_alone": "a role, while fewer than two administrators work here",
    "hold_ledger": "nothing is posted while a period is closed",
    "personal_data_of": "how much is held about a person",
    "pin_first_signing_key": "the first signing key, where there is none",
    "post_journal": "one journal that balances",
    "post_year_end": "the journal that ends a year",
    "record_audit": "one entry of the log",
    "seal_range": "one seal over what is committed",
    "take_staff_role": "a role is taken",
}
