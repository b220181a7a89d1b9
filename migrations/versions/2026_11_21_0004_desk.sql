CREATE TABLE webhook_events (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    account VARCHAR,
    object_id VARCHAR NOT NULL,
    payload JSONB NOT NULL,
    status VARCHAR NOT NULL,
    tries BIGINT NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    error VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT webhook_events_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_events_status CHECK (status in ('RECEIVED', 'APPLIED', 'IGNORED', 'FAILED'))
);

CREATE INDEX webhook_events_due_idx ON webhook_events (next_try_at) WHERE status = 'RECEIVED';

CREATE TABLE installation (
    id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    demo BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (id),
    CONSTRAINT installation_single CHECK (id = 1)
);

CREATE TABLE parties (
    id BIGSERIAL NOT NULL,
    platform VARCHAR NOT NULL,
    external_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    city VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    stripe_customer VARCHAR,
    payment_method VARCHAR,
    stripe_account VARCHAR,
    withdrawal_method VARCHAR NOT NULL,
    auto_withdraw BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT parties_pkey PRIMARY KEY (id),
    CONSTRAINT parties_role CHECK (role in ('PAYER', 'PAYEE')),
    CONSTRAINT parties_platform CHECK (platform in ('home_services', 'legal_services')),
    CONSTRAINT parties_platform_external_id_key UNIQUE (platform, external_id)
);

CREATE TABLE staff (
    id BIGSERIAL NOT NULL,
    issuer VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    skills JSONB NOT NULL,
    active BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT staff_pkey PRIMARY KEY (id),
    CONSTRAINT staff_issuer_subject_key UNIQUE (issuer, subject)
);

CREATE TABLE statement_lines (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    reporting_category VARCHAR NOT NULL,
    amount BIGINT NOT NULL,
    fee BIGINT NOT NULL,
    net BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT statement_lines_pkey PRIMARY KEY (id),
    CONSTRAINT statement_lines_net CHECK (net = amount - fee)
);

CREATE TABLE staff_roles (
    staff_id BIGINT NOT NULL,
    role VARCHAR NOT NULL,
    CONSTRAINT staff_roles_pkey PRIMARY KEY (staff_id, role),
    CONSTRAINT staff_roles_role CHECK (role in ('mediator', 'finance', 'compliance', 'administrator')),
    CONSTRAINT staff_roles_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE TABLE staff_sessions (
    id BIGSERIAL NOT NULL,
    token_hash BYTEA NOT NULL,
    staff_id BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    authenticated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT staff_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT staff_sessions_token_hash_key UNIQUE (token_hash),
    CONSTRAINT staff_sessions_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE INDEX staff_sessions_staff_id_idx ON staff_sessions (staff_id);

CREATE TABLE staff_ties (
    staff_id BIGINT NOT NULL,
    party_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    declared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT staff_ties_pkey PRIMARY KEY (staff_id, party_id),
    CONSTRAINT staff_ties_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES staff (id),
    CONSTRAINT staff_ties_party_id_fkey FOREIGN KEY(party_id) REFERENCES parties (id)
);

CREATE TABLE policy_versions (
    id BIGSERIAL NOT NULL,
    profile VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    snapshot JSONB NOT NULL,
    proposed_by BIGINT,
    approved_by BIGINT,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT policy_versions_pkey PRIMARY KEY (id),
    CONSTRAINT policy_versions_profile_version_key UNIQUE (profile, version),
    CONSTRAINT policy_versions_two_people CHECK (approved_by is null or approved_by <> proposed_by),
    CONSTRAINT policy_versions_proposed_by_fkey FOREIGN KEY(proposed_by) REFERENCES staff (id),
    CONSTRAINT policy_versions_approved_by_fkey FOREIGN KEY(approved_by) REFERENCES staff (id)
);

CREATE TABLE reconciliation_runs (
    id BIGSERIAL NOT NULL,
    status VARCHAR NOT NULL,
    started_by BIGINT,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    lines BIGINT NOT NULL,
    matched BIGINT NOT NULL,
    breaks BIGINT NOT NULL,
    totals JSONB NOT NULL,
    error VARCHAR,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT reconciliation_runs_pkey PRIMARY KEY (id),
    CONSTRAINT reconciliation_runs_status CHECK (status in ('RUNNING', 'CLEAN', 'BREAKS', 'FAILED')),
    CONSTRAINT reconciliation_runs_started_by_fkey FOREIGN KEY(started_by) REFERENCES staff (id)
);

CREATE TABLE projects (
    id BIGSERIAL NOT NULL,
    platform VARCHAR NOT NULL,
    bid_reference VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    project_type VARCHAR NOT NULL,
    size VARCHAR NOT NULL,
    fee_mode VARCHAR NOT NULL,
    payer_id BIGINT NOT NULL,
    payee_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    total_minor BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    policy_version_id BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT projects_pkey PRIMARY KEY (id),
    CONSTRAINT projects_status CHECK (status in ('ACTIVE', 'COMPLETED', 'CANCELED')),
    CONSTRAINT projects_total_positive CHECK (total_minor > 0),
    CONSTRAINT projects_two_parties CHECK (payer_id <> payee_id),
    CONSTRAINT projects_platform_bid_reference_key UNIQUE (platform, bid_reference),
    CONSTRAINT projects_payer_id_fkey FOREIGN KEY(payer_id) REFERENCES parties (id),
    CONSTRAINT projects_payee_id_fkey FOREIGN KEY(payee_id) REFERENCES parties (id),
    CONSTRAINT projects_policy_version_id_fkey FOREIGN KEY(policy_version_id) REFERENCES policy_versions (id)
);

CREATE INDEX projects_payer_id_idx ON projects (payer_id);

CREATE INDEX projects_payee_id_idx ON projects (payee_id);

CREATE TABLE reconciliation_breaks (
    id BIGSERIAL NOT NULL,
    run_id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    transaction_id VARCHAR,
    journal_id BIGINT,
    currency VARCHAR NOT NULL,
    at_provider BIGINT,
    in_ledger BIGINT,
    CONSTRAINT reconciliation_breaks_pkey PRIMARY KEY (id),
    CONSTRAINT reconciliation_breaks_kind CHECK (kind in ('NOT_IN_LEDGER', 'NOT_AT_PROVIDER', 'AMOUNT_DIFFERS', 'BALANCE_DIFFERS')),
    CONSTRAINT reconciliation_breaks_run_id_fkey FOREIGN KEY(run_id) REFERENCES reconciliation_runs (id)
);

CREATE INDEX reconciliation_breaks_run_idx ON reconciliation_breaks (run_id);

CREATE TABLE milestones (
    id BIGSERIAL NOT NULL,
    project_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    title VARCHAR NOT NULL,
    deliverable VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    target_date DATE,
    acceptance_rule VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    outcome VARCHAR,
    version BIGINT NOT NULL,
    activated_at TIMESTAMP WITH TIME ZONE,
    funded_at TIMESTAMP WITH TIME ZONE,
    completion_notice_at TIMESTAMP WITH TIME ZONE,
    dispute_until TIMESTAMP WITH TIME ZONE,
    auto_approve_at TIMESTAMP WITH TIME ZONE,
    next_reminder_at TIMESTAMP WITH TIME ZONE,
    reminder_level BIGINT NOT NULL,
    verified_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT milestones_pkey PRIMARY KEY (id),
    CONSTRAINT milestones_project_id_position_key UNIQUE (project_id, position),
    CONSTRAINT milestones_amount_positive CHECK (amount_minor > 0),
    CONSTRAINT milestones_status CHECK (status in ('PLANNED', 'AWAITING_FUNDING', 'FUNDED', 'PENDING_VERIFICATION', 'DISPUTED', 'IN_MEDIATION', 'VERIFIED', 'COMPLETED', 'REFUNDED', 'CANCELED')),
    CONSTRAINT milestones_outcome CHECK (outcome in ('RELEASED', 'SPLIT')),
    CONSTRAINT milestones_ended_when_over CHECK (case when status = 'COMPLETED' then ended_at is not null else ended_at is null or status = 'REFUNDED' end),
    CONSTRAINT milestones_project_id_fkey FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX milestones_reminder_due_idx ON milestones (next_reminder_at) WHERE next_reminder_at is not null;

CREATE INDEX milestones_auto_approve_due_idx ON milestones (auto_approve_at) WHERE auto_approve_at is not null;

CREATE TABLE engagements (
    project_id BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    scope_confirmed_by_payer_at TIMESTAMP WITH TIME ZONE,
    scope_confirmed_by_payee_at TIMESTAMP WITH TIME ZONE,
    fee_confirmed_at TIMESTAMP WITH TIME ZONE,
    conflict_check_required BOOLEAN NOT NULL,
    conflict_check_acknowledged_at TIMESTAMP WITH TIME ZONE,
    disclaimers_acknowledged_at TIMESTAMP WITH TIME ZONE,
    activated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT engagements_pkey PRIMARY KEY (project_id),
    CONSTRAINT engagements_status CHECK (status in ('DRAFT', 'ACTIVE', 'ENDED')),
    CONSTRAINT engagements_project_id_fkey FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE TABLE tickets (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    opened_by BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    details VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    escalated BOOLEAN NOT NULL,
    mediator_id BIGINT,
    version BIGINT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    mediation_due_at TIMESTAMP WITH TIME ZONE,
    in_mediation_at TIMESTAMP WITH TIME ZONE,
    decision_due_at TIMESTAMP WITH TIME ZONE,
    waiting_on BIGINT,
    answer_due_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    resolution VARCHAR,
    resolution_notes VARCHAR,
    CONSTRAINT tickets_pkey PRIMARY KEY (id),
    CONSTRAINT tickets_waiting_on_someone CHECK ((status = 'WAITING_PARTY') = (waiting_on is not null)),
    CONSTRAINT tickets_waiting_on_fkey FOREIGN KEY(waiting_on) REFERENCES parties (id),
    CONSTRAINT tickets_status CHECK (status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY', 'RESOLVED', 'WITHDRAWN')),
    CONSTRAINT tickets_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT tickets_opened_by_fkey FOREIGN KEY(opened_by) REFERENCES parties (id),
    CONSTRAINT tickets_mediator_id_fkey FOREIGN KEY(mediator_id) REFERENCES staff (id)
);

CREATE INDEX tickets_milestone_id_idx ON tickets (milestone_id);

CREATE INDEX tickets_open_due_idx ON tickets (due_at, id) WHERE status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY');

CREATE INDEX tickets_mediator_open_idx ON tickets (mediator_id, due_at) WHERE status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY');

CREATE UNIQUE INDEX tickets_one_open_idx ON tickets (milestone_id) WHERE status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY');

CREATE TABLE holds (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    report_id BIGINT,
    placed_by BIGINT,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    released_by BIGINT,
    released_at TIMESTAMP WITH TIME ZONE,
    release_reason VARCHAR,
    CONSTRAINT holds_pkey PRIMARY KEY (id),
    CONSTRAINT holds_kind CHECK (kind in ('MANUAL', 'RISK', 'REPORT', 'HIGH_VALUE')),
    CONSTRAINT holds_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT holds_placed_by_fkey FOREIGN KEY(placed_by) REFERENCES staff (id),
    CONSTRAINT holds_released_by_fkey FOREIGN KEY(released_by) REFERENCES staff (id)
);

CREATE INDEX holds_active_idx ON holds (milestone_id) WHERE released_at is null;

CREATE TABLE outgoing_operations (
    id BIGSERIAL NOT NULL,
    key VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    milestone_id BIGINT NOT NULL,
    party_id BIGINT,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    payload JSONB NOT NULL,
    status VARCHAR NOT NULL,
    attempt BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    first_sent_at TIMESTAMP WITH TIME ZONE,
    sending_since TIMESTAMP WITH TIME ZONE,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    provider_id VARCHAR,
    last_error VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT outgoing_operations_pkey PRIMARY KEY (id),
    CONSTRAINT outgoing_operations_key_key UNIQUE (key),
    CONSTRAINT outgoing_operations_kind CHECK (kind in ('CHARGE', 'REFUND', 'TRANSFER', 'PAYOUT', 'REVERSAL', 'EVIDENCE')),
    CONSTRAINT outgoing_operations_status CHECK (status in ('QUEUED', 'SENDING', 'SUCCEEDED', 'REFUSED', 'BLOCKED', 'REVIEW', 'CANCELED')),
    CONSTRAINT outgoing_operations_sending_has_time CHECK ((status = 'SENDING') = (sending_since is not null)),
    CONSTRAINT outgoing_operations_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT outgoing_operations_party_id_fkey FOREIGN KEY(party_id) REFERENCES parties (id)
);

CREATE INDEX outgoing_operations_milestone_idx ON outgoing_operations (milestone_id);

CREATE INDEX outgoing_operations_due_idx ON outgoing_operations (next_try_at) WHERE status in ('QUEUED', 'SENDING', 'BLOCKED');

CREATE TABLE notifications (
    id BIGSERIAL NOT NULL,
    key VARCHAR NOT NULL,
    template VARCHAR NOT NULL,
    party_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    milestone_id BIGINT,
    subject VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    html VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    tries BIGINT NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    error VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT notifications_pkey PRIMARY KEY (id),
    CONSTRAINT notifications_key_key UNIQUE (key),
    CONSTRAINT notifications_status CHECK (status in ('QUEUED', 'SENT', 'FAILED')),
    CONSTRAINT notifications_party_id_fkey FOREIGN KEY(party_id) REFERENCES parties (id),
    CONSTRAINT notifications_project_id_fkey FOREIGN KEY(project_id) REFERENCES projects (id),
    CONSTRAINT notifications_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id)
);

CREATE INDEX notifications_milestone_id_idx ON notifications (milestone_id);

CREATE INDEX notifications_party_id_idx ON notifications (party_id);

CREATE INDEX notifications_due_idx ON notifications (next_try_at) WHERE status = 'QUEUED';

CREATE TABLE payment_orders (
    milestone_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    platform_fee_minor BIGINT NOT NULL,
    processing_fee_minor BIGINT NOT NULL,
    charge_minor BIGINT NOT NULL,
    funded_minor BIGINT NOT NULL,
    held_minor BIGINT NOT NULL,
    payable_minor BIGINT NOT NULL,
    refundable_minor BIGINT NOT NULL,
    released_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    fee_kept_minor BIGINT NOT NULL,
    in_flight BOOLEAN NOT NULL,
    chargeback_open BOOLEAN NOT NULL,
    canceled BOOLEAN NOT NULL,
    attempts BIGINT NOT NULL,
    stripe_payment_intent VARCHAR,
    stripe_charge VARCHAR,
    failure VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    funded_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT payment_orders_pkey PRIMARY KEY (milestone_id),
    CONSTRAINT payment_orders_state CHECK (state in ('UNPAID', 'PENDING_PAYMENT', 'PAID_HELD', 'PARTIALLY_RELEASED', 'RELEASED', 'REFUND_PENDING', 'REFUNDED', 'CHARGEBACK_REVIEW', 'CANCELED')),
    CONSTRAINT payment_orders_funded_is_accounted_for CHECK (funded_minor = held_minor + payable_minor + refundable_minor + released_minor + refunded_minor),
    CONSTRAINT payment_orders_nothing_negative CHECK (least(held_minor, payable_minor, refundable_minor, released_minor, refunded_minor) >= 0),
    CONSTRAINT payment_orders_charge_covers_amount CHECK (charge_minor > amount_minor),
    CONSTRAINT payment_orders_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT payment_orders_stripe_payment_intent_key UNIQUE (stripe_payment_intent),
    CONSTRAINT payment_orders_stripe_charge_key UNIQUE (stripe_charge)
);

CREATE INDEX payment_orders_held_since_idx ON payment_orders (funded_at) WHERE held_minor > 0;

CREATE TABLE balance_transactions (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    reporting_category VARCHAR NOT NULL,
    amount BIGINT NOT NULL,
    fee BIGINT NOT NULL,
    net BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    milestone_id BIGINT,
    journal_id BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT balance_transactions_pkey PRIMARY KEY (id),
    CONSTRAINT balance_transactions_net CHECK (net = amount - fee),
    CONSTRAINT balance_transactions_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT balance_transactions_journal_id_key UNIQUE (journal_id),
    CONSTRAINT balance_transactions_journal_id_fkey FOREIGN KEY(journal_id) REFERENCES journals (id)
);

CREATE INDEX balance_transactions_milestone_id_idx ON balance_transactions (milestone_id);

CREATE TABLE messages (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    ticket_id BIGINT,
    author_kind VARCHAR NOT NULL,
    author_id BIGINT,
    audience VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (id),
    CONSTRAINT messages_audience CHECK (audience in ('PARTIES', 'STAFF')),
    CONSTRAINT messages_author_kind CHECK (author_kind in ('party', 'staff', 'system')),
    CONSTRAINT messages_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT messages_ticket_id_fkey FOREIGN KEY(ticket_id) REFERENCES tickets (id)
);

CREATE INDEX messages_milestone_id_idx ON messages (milestone_id);

CREATE TABLE evidence (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    ticket_id BIGINT,
    uploaded_by BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL,
    media_type VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    caption VARCHAR NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT evidence_pkey PRIMARY KEY (id),
    CONSTRAINT evidence_milestone_id_sha256_key UNIQUE (milestone_id, sha256),
    CONSTRAINT evidence_kind CHECK (kind in ('IMAGE', 'PDF', 'TEXT', 'OTHER')),
    CONSTRAINT evidence_not_empty CHECK (size_bytes > 0),
    CONSTRAINT evidence_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT evidence_ticket_id_fkey FOREIGN KEY(ticket_id) REFERENCES tickets (id),
    CONSTRAINT evidence_uploaded_by_fkey FOREIGN KEY(uploaded_by) REFERENCES parties (id)
);

CREATE INDEX evidence_milestone_id_idx ON evidence (milestone_id);

CREATE TABLE decisions (
    id BIGSERIAL NOT NULL,
    ticket_id BIGINT NOT NULL,
    milestone_id BIGINT NOT NULL,
    intent VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    ground VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    release_minor BIGINT NOT NULL,
    refund_minor BIGINT NOT NULL,
    reasons VARCHAR NOT NULL,
    citations JSONB NOT NULL,
    plan JSONB NOT NULL,
    plan_hash VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    needs_approval BOOLEAN NOT NULL,
    approval_reasons JSONB NOT NULL,
    maker_id BIGINT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    checker_id BIGINT,
    checked_at TIMESTAMP WITH TIME ZONE,
    check_note VARCHAR,
    execute_at TIMESTAMP WITH TIME ZONE,
    executed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT decisions_pkey PRIMARY KEY (id),
    CONSTRAINT decisions_outcome CHECK (outcome in ('FULL_RELEASE', 'PARTIAL_RELEASE', 'FULL_REFUND')),
    CONSTRAINT decisions_status CHECK (status in ('AWAITING_APPROVAL', 'COOLING_OFF', 'EXECUTED', 'RETURNED', 'VOIDED')),
    CONSTRAINT decisions_maker_is_not_checker CHECK (checker_id is null or checker_id <> maker_id),
    CONSTRAINT decisions_approved_before_execution CHECK (status not in ('COOLING_OFF', 'EXECUTED') or not needs_approval or checker_id is not null),
    CONSTRAINT decisions_amounts CHECK (release_minor >= 0 and refund_minor >= 0),
    CONSTRAINT decisions_ticket_id_fkey FOREIGN KEY(ticket_id) REFERENCES tickets (id),
    CONSTRAINT decisions_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT decisions_intent_key UNIQUE (intent),
    CONSTRAINT decisions_maker_id_fkey FOREIGN KEY(maker_id) REFERENCES staff (id),
    CONSTRAINT decisions_checker_id_fkey FOREIGN KEY(checker_id) REFERENCES staff (id)
);

CREATE INDEX decisions_milestone_id_idx ON decisions (milestone_id);

CREATE UNIQUE INDEX decisions_one_live_idx ON decisions (ticket_id) WHERE status in ('AWAITING_APPROVAL', 'COOLING_OFF', 'EXECUTED');

CREATE INDEX decisions_to_execute_idx ON decisions (execute_at) WHERE status = 'COOLING_OFF';

CREATE TABLE payment_events (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    from_state VARCHAR NOT NULL,
    to_state VARCHAR NOT NULL,
    cause VARCHAR NOT NULL,
    amounts JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT payment_events_pkey PRIMARY KEY (id),
    CONSTRAINT payment_events_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES payment_orders (milestone_id)
);

CREATE INDEX payment_events_milestone_id_idx ON payment_events (milestone_id);

CREATE TABLE payouts (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    party_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    method VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    transfer_operation_id BIGINT NOT NULL,
    stripe_transfer VARCHAR,
    stripe_payout VARCHAR,
    failure VARCHAR,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    arrival_at TIMESTAMP WITH TIME ZONE,
    paid_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT payouts_pkey PRIMARY KEY (id),
    CONSTRAINT payouts_amounts CHECK (amount_minor > fee_minor and fee_minor >= 0),
    CONSTRAINT payouts_status CHECK (status in ('REQUESTED', 'SENDING', 'TRANSFERRED', 'IN_TRANSIT', 'PAID', 'FAILED', 'ADMINISTRATIVE_REVIEW', 'CANCELED')),
    CONSTRAINT payouts_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT payouts_party_id_fkey FOREIGN KEY(party_id) REFERENCES parties (id),
    CONSTRAINT payouts_transfer_operation_id_key UNIQUE (transfer_operation_id),
    CONSTRAINT payouts_transfer_operation_id_fkey FOREIGN KEY(transfer_operation_id) REFERENCES outgoing_operations (id),
    CONSTRAINT payouts_stripe_transfer_key UNIQUE (stripe_transfer),
    CONSTRAINT payouts_stripe_payout_key UNIQUE (stripe_payout)
);

CREATE INDEX payouts_party_id_idx ON payouts (party_id);

CREATE INDEX payouts_milestone_id_idx ON payouts (milestone_id);

CREATE TABLE evidence_views (
    evidence_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT evidence_views_pkey PRIMARY KEY (evidence_id, staff_id),
    CONSTRAINT evidence_views_evidence_id_fkey FOREIGN KEY(evidence_id) REFERENCES evidence (id),
    CONSTRAINT evidence_views_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE TABLE refunds (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    decision_id BIGINT,
    operation_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    milestone_part_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    ground VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    stripe_refund VARCHAR,
    failure VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT refunds_pkey PRIMARY KEY (id),
    CONSTRAINT refunds_amounts CHECK (amount_minor > 0 and milestone_part_minor >= 0),
    CONSTRAINT refunds_status CHECK (status in ('QUEUED', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    CONSTRAINT refunds_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT refunds_decision_id_fkey FOREIGN KEY(decision_id) REFERENCES decisions (id),
    CONSTRAINT refunds_operation_id_key UNIQUE (operation_id),
    CONSTRAINT refunds_operation_id_fkey FOREIGN KEY(operation_id) REFERENCES outgoing_operations (id),
    CONSTRAINT refunds_stripe_refund_key UNIQUE (stripe_refund)
);

CREATE INDEX refunds_milestone_id_idx ON refunds (milestone_id);


-- The database repeats the laws of rules/milestones.py: any other change of status is refused.
CREATE TABLE milestone_moves (
    from_status VARCHAR NOT NULL,
    to_status VARCHAR NOT NULL,
    CONSTRAINT milestone_moves_pkey PRIMARY KEY (from_status, to_status)
);

INSERT INTO milestone_moves (from_status, to_status) VALUES
    ('AWAITING_FUNDING', 'CANCELED'),
    ('AWAITING_FUNDING', 'FUNDED'),
    ('DISPUTED', 'FUNDED'),
    ('DISPUTED', 'IN_MEDIATION'),
    ('DISPUTED', 'PENDING_VERIFICATION'),
    ('DISPUTED', 'REFUNDED'),
    ('FUNDED', 'DISPUTED'),
    ('FUNDED', 'PENDING_VERIFICATION'),
    ('FUNDED', 'REFUNDED'),
    ('IN_MEDIATION', 'REFUNDED'),
    ('IN_MEDIATION', 'VERIFIED'),
    ('PENDING_VERIFICATION', 'DISPUTED'),
    ('PENDING_VERIFICATION', 'REFUNDED'),
    ('PENDING_VERIFICATION', 'VERIFIED'),
    ('PLANNED', 'AWAITING_FUNDING'),
    ('PLANNED', 'CANCELED'),
    ('VERIFIED', 'COMPLETED');

CREATE FUNCTION check_milestone_move() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM milestone_moves WHERE from_status = OLD.status AND to_status = NEW.status
    ) THEN
        RAISE EXCEPTION 'milestone % cannot move from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'milestones_legal_move';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER milestones_legal_move BEFORE UPDATE OF status ON milestones
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_milestone_move();

-- What was once decided, charged, shown or received stays as it was.
CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is not allowed: the record stays as it was written', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER decisions_keep_plan BEFORE UPDATE ON decisions
    FOR EACH ROW WHEN (
        (OLD.ticket_id, OLD.milestone_id, OLD.outcome, OLD.ground, OLD.release_minor, OLD.refund_minor, OLD.reasons,
         OLD.citations, OLD.plan, OLD.plan_hash, OLD.maker_id, OLD.made_at)
        IS DISTINCT FROM
        (NEW.ticket_id, NEW.milestone_id, NEW.outcome, NEW.ground, NEW.release_minor, NEW.refund_minor, NEW.reasons,
         NEW.citations, NEW.plan, NEW.plan_hash, NEW.maker_id, NEW.made_at)
    ) EXECUTE FUNCTION refuse_rewrite();

CREATE TRIGGER outgoing_operations_keep_order BEFORE UPDATE ON outgoing_operations
    FOR EACH ROW WHEN (
        (OLD.key, OLD.kind, OLD.milestone_id, OLD.amount_minor, OLD.currency, OLD.payload)
        IS DISTINCT FROM (NEW.key, NEW.kind, NEW.milestone_id, NEW.amount_minor, NEW.currency, NEW.payload)
    ) EXECUTE FUNCTION refuse_rewrite();

CREATE TRIGGER webhook_events_keep_payload BEFORE UPDATE ON webhook_events
    FOR EACH ROW WHEN ((OLD.id, OLD.kind, OLD.payload) IS DISTINCT FROM (NEW.id, NEW.kind, NEW.payload))
    EXECUTE FUNCTION refuse_rewrite();

CREATE TRIGGER payment_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER balance_transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON balance_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER evidence_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER policy_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON policy_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Least privilege: nothing is ever deleted, and history is only added to.
GRANT SELECT, INSERT, UPDATE ON
    parties, staff, staff_roles, staff_sessions, staff_ties, projects, engagements, milestones, payment_orders,
    refunds, payouts, tickets, messages, holds, decisions, outgoing_operations, webhook_events, notifications,
    reconciliation_runs, statement_lines, reconciliation_breaks
    TO app;
GRANT SELECT, INSERT ON
    installation, policy_versions, payment_events, balance_transactions, evidence, evidence_views
    TO app;
GRANT SELECT ON milestone_moves TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
GRANT SELECT ON
    installation, parties, staff, staff_roles, staff_ties, projects, engagements, policy_versions, milestones,
    payment_orders, payment_events, balance_transactions, refunds, payouts, tickets, messages, evidence,
    evidence_views, holds, decisions, outgoing_operations, webhook_events, notifications, reconciliation_runs,
    statement_lines, reconciliation_breaks, milestone_moves
    TO auditor;
