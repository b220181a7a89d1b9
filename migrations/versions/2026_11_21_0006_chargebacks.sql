CREATE TABLE chargebacks (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    stripe_dispute VARCHAR NOT NULL,
    stripe_charge VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    booked_currency VARCHAR NOT NULL,
    taken_minor BIGINT NOT NULL,
    lost_minor BIGINT NOT NULL,
    fees_minor BIGINT NOT NULL,
    due_by TIMESTAMP WITH TIME ZONE,
    past_due BOOLEAN NOT NULL,
    has_evidence BOOLEAN NOT NULL,
    submissions BIGINT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    noticed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT chargebacks_pkey PRIMARY KEY (id),
    CONSTRAINT chargebacks_stripe_dispute_key UNIQUE (stripe_dispute),
    CONSTRAINT chargebacks_milestone_id_fkey FOREIGN KEY (milestone_id) REFERENCES milestones (id),
    CONSTRAINT chargebacks_status CHECK (status in ('warning_needs_response', 'warning_under_review',
        'warning_closed', 'needs_response', 'under_review', 'won', 'lost', 'prevented')),
    CONSTRAINT chargebacks_lost_was_taken CHECK (lost_minor >= 0 and lost_minor <= taken_minor)
);
CREATE INDEX chargebacks_milestone_idx ON chargebacks (milestone_id);
CREATE INDEX chargebacks_due_idx ON chargebacks (due_by) WHERE closed_at IS NULL;

CREATE TABLE chargeback_evidence (
    id BIGSERIAL NOT NULL,
    chargeback_id BIGINT NOT NULL,
    texts JSONB NOT NULL,
    drafted_by BIGINT NOT NULL,
    drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    submitted_by BIGINT,
    submitted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT chargeback_evidence_pkey PRIMARY KEY (id),
    CONSTRAINT chargeback_evidence_chargeback_id_fkey FOREIGN KEY (chargeback_id) REFERENCES chargebacks (id),
    CONSTRAINT chargeback_evidence_drafted_by_fkey FOREIGN KEY (drafted_by) REFERENCES staff (id),
    CONSTRAINT chargeback_evidence_submitted_by_fkey FOREIGN KEY (submitted_by) REFERENCES staff (id),
    CONSTRAINT chargeback_evidence_maker_is_not_checker CHECK (submitted_by IS NULL OR submitted_by <> drafted_by),
    CONSTRAINT chargeback_evidence_submitted_has_time CHECK ((submitted_by IS NULL) = (submitted_at IS NULL))
);
CREATE INDEX chargeback_evidence_chargeback_idx ON chargeback_evidence (chargeback_id);

-- What one person drafted is what another sends.
CREATE TRIGGER chargeback_evidence_keeps_draft BEFORE UPDATE ON chargeback_evidence
    FOR EACH ROW WHEN (
        (OLD.chargeback_id, OLD.texts, OLD.drafted_by, OLD.drafted_at)
        IS DISTINCT FROM (NEW.chargeback_id, NEW.texts, NEW.drafted_by, NEW.drafted_at)
        OR OLD.submitted_by IS NOT NULL
    ) EXECUTE FUNCTION refuse_rewrite();

-- A refund that the bank's chargeback overtook is owed no more.
ALTER TABLE refunds DROP CONSTRAINT refunds_status;
ALTER TABLE refunds ADD CONSTRAINT refunds_status
    CHECK (status in ('QUEUED', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'CHARGED_BACK'));

-- The bank can also take what is verified but still frozen.
INSERT INTO milestone_moves (from_status, to_status) VALUES ('VERIFIED', 'REFUNDED');

ALTER TABLE payment_orders
    ADD COLUMN chosen_method VARCHAR,
    ADD COLUMN retries BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN next_retry_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX payment_orders_retry_idx ON payment_orders (next_retry_at) WHERE next_retry_at IS NOT NULL;

CREATE TABLE duplicate_payments (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    stripe_payment_intent VARCHAR NOT NULL,
    stripe_charge VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    operation_id BIGINT,
    stripe_refund VARCHAR,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    returned_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT duplicate_payments_pkey PRIMARY KEY (id),
    CONSTRAINT duplicate_payments_stripe_payment_intent_key UNIQUE (stripe_payment_intent),
    CONSTRAINT duplicate_payments_milestone_id_fkey FOREIGN KEY (milestone_id) REFERENCES milestones (id),
    CONSTRAINT duplicate_payments_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES outgoing_operations (id),
    CONSTRAINT duplicate_payments_amount CHECK (amount_minor > 0),
    CONSTRAINT duplicate_payments_status CHECK (status in ('RETURNING', 'RETURNED', 'FAILED'))
);
CREATE INDEX duplicate_payments_milestone_idx ON duplicate_payments (milestone_id);

CREATE TABLE suspense_items (
    id BIGSERIAL NOT NULL,
    transaction_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    settled_as VARCHAR,
    reason VARCHAR,
    settled_by BIGINT,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT suspense_items_pkey PRIMARY KEY (id),
    CONSTRAINT suspense_items_transaction_id_key UNIQUE (transaction_id),
    CONSTRAINT suspense_items_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT suspense_items_status CHECK (status in ('OPEN', 'SETTLED')),
    CONSTRAINT suspense_items_settled_by_someone CHECK (
        (status = 'SETTLED') = (settled_as IS NOT NULL AND reason IS NOT NULL AND settled_by IS NOT NULL
            AND settled_at IS NOT NULL))
);
CREATE INDEX suspense_items_open_idx ON suspense_items (id) WHERE status = 'OPEN';

GRANT SELECT, INSERT, UPDATE ON chargebacks, chargeback_evidence, duplicate_payments, suspense_items TO app;
GRANT SELECT ON chargebacks, chargeback_evidence, duplicate_payments, suspense_items TO auditor;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
