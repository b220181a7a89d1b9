"""Every column of the database that can hold words is in one of three lists, and the database has the first as well."""

from __future__ import annotations

from sqlalchemy import text

from core.db import Database
from core.rules.personal_data import ERASED, KEPT

WORDS = text(
    """
    select c.table_name || '.' || c.column_name from information_schema.columns c
    join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
      and c.data_type in ('text', 'character varying', 'jsonb', 'json', 'ARRAY', 'bytea')
      and c.table_name !~ '^(procrastinate|alembic)'
    order by 1
    """
)
# Ids, names of states and kinds, currencies, hashes, keys and numbers; and what is about staff or marketplaces.
NOTHING_PERSONAL = """
accounts: code currency
api_answers: idempotency_key platform request_hash
api_keys: label platform prefix secret_hash
audit_entries: action actor_kind object_id object_kind operation_key role
balance_transactions: currency exchange_rate for_currency id kind reporting_category source
bank_accounts: code currency identifier name
bank_change_proposals: decision status
bank_changes: after_bank before_bank currency
bank_charge_rules: words
bank_match_postings: currency
bank_matches: held_journal_ids held_line_ids name rule
bank_statement_files: format imported_via sha256
bank_statement_lines: currency key
bank_statements: balances currency lines_hash reference
breaks: class closed_as currency kind object ours_currency side status transaction_id
cases: reason status
chargeback_acceptances: status
chargeback_evidence: files
chargeback_files: media_type origin sha256
chargebacks: booked_currency currency fees_currency network network_code reason status stripe_charge
chargebacks: stripe_dispute
charges: action_url card_brand card_funding client_secret code failure method_country method_kind status
chart: book kind name per subtotal title
check_runs: failure part results
csv_mappings: definition name
currencies: code
daily_totals: kind
debt_reminders: currency
debt_write_offs: currency status
decision_drafts: writer
decisions: currency ground intent outcome plan_hash status
demo_clock: trouble
document_series: series
duplicate_payments: currency status stripe_charge stripe_payment_intent stripe_refund
emergency_grants: note reason role
engagements: status
erasures: counts status
evidence: kind media_type sha256
evidence_notes: area
exports: format kind
fee_totals: dimension key
group_roles: group_name role
hold_lifts: status
holds: kind stripe_object
installation: name
journal_kinds: credits debits kind
journals: account_ids amounts key kind
legal_signatures: document document_name item jurisdiction note platform withdrawal_reason
letter_preferences: frequency muted
line_corrections: currency transaction_id
manual_journals: account_codes amounts attachment_sha256 currency status
messages: audience author_kind
milestone_moves: from_status to_status
marketplace_totals: kind platform
milestones: acceptance_rule currency outcome status
notifications: about_kind key mail status template
settlement_proposals: currency plan_hash status
outgoing_events: kind status
outgoing_operations: currency key kind provider_id status
parties: account_currency platform role withdrawal_method
party_changes: field
party_requests: kind status
payee_accounts: currently_due disabled_reason past_due pending_verification transfers
payee_holds: kind
payee_statement_lines: account currency id kind reporting_category source
payment_events: amounts cause cause_kind caused_by from_state to_state
payment_method_setups: code status stripe_setup_intent
payment_orders: chosen_method currency failure settled_currency state stripe_charge stripe_payment_intent
payout_offers: chosen_method methods status
payout_stops: currency reason
payouts: currency failed_bank failure failure_code method status stripe_payout stripe_transfer
period_reopenings: note reason status
periods: closed_via explanation kind status summary
personal_data: relation sets whose
policy_proposals: note profile reason snapshot status
policy_versions: profile snapshot
practice_flags: author_kind
projects: currency fee_mode funding platform project_type size status
provider_roles: group_name role
rate_buckets: holder
readings: kind roles
receipts: currency issuer_address issuer_name issuer_tax_id key kind scope_hash series
reconciliation_breaks: currency kind side transaction_id
reconciliation_runs: error started_from status totals
refund_returns: status way
refunds: currency failure failure_code ground status stripe_refund
repayment_plans: currency
reports: author_kind external_id kind outcome severity source
restores: reason restored_by source
risk_reviews: outcome
role_grants: note reason roles status
row_changes: before columns digest login marks op relation row_key
seals: hash leaves prev root
settlement_currencies: currency known_from
signing_keys: after_hash by_itself by_previous public_key
staff: email issuer name skills subject title
staff_invitations: email name reason roles skills title token_hash
staff_roles: role
staff_sessions: address browser provider_session token_hash proof_hash
statement_cursors: account book failure window_after
statement_lines: currency id kind reporting_category source
status_moves: from_status relation to_status
stripe_balances: currency
stripe_payouts: account balance_transaction currency destination failure_balance_transaction failure_code id
stripe_payouts: method status
suspense_items: currency payment_intent proposed_as settled_as source status transaction_id
tab_keys: key
unhashed_content: part row_id
unsent_texts: place writer
webhook_endpoints: nonce platform previous_nonce url
webhook_events: account id kind object_id status
"""


def of_the_list() -> set[str]:
    return {
        f"{table}.{column}"
        for line in NOTHING_PERSONAL.strip().splitlines()
        for table, _, columns in [line.partition(":")]
        for column in columns.split()
    }


def test_every_column_of_words_is_erased_kept_for_a_reason_or_holds_nothing_personal(owner: Database) -> None:
    with owner.reading() as session:
        every = set(session.scalars(WORDS))
    erased = {f"{each.table}.{column}" for each in ERASED for column in each.becomes} - {
        "parties.erased_at",
        "parties.method_saved_at",
    }
    lists = (erased & every, KEPT.keys() & every, of_the_list())
    assert erased - every - {"api_answers.status"} == set(), "erased, and not there"
    assert KEPT.keys() - every == set(), "kept, and not there"
    assert of_the_list() - every == set(), "listed, and not there"
    assert every - set().union(*lists) == set(), "in no list: whose words stand there?"
    assert [sorted(a & b) for n, a in enumerate(lists) for b in lists[:n] if a & b] == []


def test_the_database_erases_by_the_same_list(owner: Database) -> None:
    with owner.reading() as session:
        rows = session.execute(text("select relation, whose, sets from personal_data order by place")).all()
    assert [tuple(row) for row in rows] == [each.line for each in ERASED]
