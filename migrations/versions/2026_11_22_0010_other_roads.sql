-- Pieces of evidence that go to the bank with an answer: {the provider's name of the document: evidence id}.
ALTER TABLE chargeback_evidence ADD COLUMN files JSONB NOT NULL DEFAULT '{}';
DROP TRIGGER chargeback_evidence_keeps_draft ON chargeback_evidence;
CREATE TRIGGER chargeback_evidence_keeps_draft BEFORE UPDATE ON chargeback_evidence
    FOR EACH ROW WHEN (
        (OLD.chargeback_id, OLD.texts, OLD.files, OLD.drafted_by, OLD.drafted_at)
        IS DISTINCT FROM (NEW.chargeback_id, NEW.texts, NEW.files, NEW.drafted_by, NEW.drafted_at)
        OR OLD.submitted_by IS NOT NULL
    ) EXECUTE FUNCTION refuse_rewrite();

-- Giving in to a bank is for good, so one person proposes it and another does it.
CREATE TABLE chargeback_acceptances (
    id BIGSERIAL NOT NULL,
    chargeback_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'PROPOSED',
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT chargeback_acceptances_pkey PRIMARY KEY (id),
    CONSTRAINT chargeback_acceptances_chargeback_id_fkey FOREIGN KEY (chargeback_id) REFERENCES chargebacks (id),
    CONSTRAINT chargeback_acceptances_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT chargeback_acceptances_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT chargeback_acceptances_status CHECK (status in ('PROPOSED', 'ACCEPTED', 'WITHDRAWN')),
    CONSTRAINT chargeback_acceptances_settled_by_someone CHECK (
        (status = 'PROPOSED') = (settled_by is null) and (settled_by is null) = (settled_at is null)),
    CONSTRAINT chargeback_acceptances_two_people CHECK (status <> 'ACCEPTED' or settled_by <> proposed_by)
);
CREATE UNIQUE INDEX chargeback_acceptances_one_open_idx ON chargeback_acceptances (chargeback_id)
    WHERE status = 'PROPOSED';
CREATE TRIGGER chargeback_acceptances_keep_words BEFORE UPDATE ON chargeback_acceptances
    FOR EACH ROW WHEN (
        (OLD.id, OLD.chargeback_id, OLD.reason, OLD.proposed_by, OLD.proposed_at)
        IS DISTINCT FROM (NEW.id, NEW.chargeback_id, NEW.reason, NEW.proposed_by, NEW.proposed_at)
        OR OLD.status <> 'PROPOSED'
    ) EXECUTE FUNCTION refuse_rewrite();

ALTER TABLE outgoing_operations DROP CONSTRAINT outgoing_operations_kind;
ALTER TABLE outgoing_operations ADD CONSTRAINT outgoing_operations_kind
    CHECK (kind in ('CHARGE', 'REFUND', 'TRANSFER', 'PAYOUT', 'REVERSAL', 'EVIDENCE', 'ACCEPTANCE'));

-- Why nothing explains an amount, the payment it came by, and what one person says it was until another agrees.
ALTER TABLE suspense_items
    ADD COLUMN why VARCHAR,
    ADD COLUMN payment_intent VARCHAR,
    ADD COLUMN milestone_id BIGINT,
    ADD COLUMN proposed_as VARCHAR,
    ADD COLUMN target_id BIGINT,
    ADD COLUMN proposed_reason VARCHAR,
    ADD COLUMN proposed_by BIGINT,
    ADD COLUMN proposed_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT suspense_items_milestone_id_fkey FOREIGN KEY (milestone_id) REFERENCES milestones (id),
    ADD CONSTRAINT suspense_items_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    ADD CONSTRAINT suspense_items_proposed_by_someone CHECK (
        (proposed_as is null) = (proposed_by is null) and (proposed_as is null) = (proposed_at is null)
        and (proposed_as is null) = (proposed_reason is null)),
    -- What was settled before this law stays.
    ADD CONSTRAINT suspense_items_two_people CHECK (
        status <> 'SETTLED' or (proposed_by is not null and settled_by <> proposed_by)) NOT VALID;

-- Other methods that staff offer to a payee whose payout failed, and the one that the payee chose.
CREATE TABLE payout_offers (
    id BIGSERIAL NOT NULL,
    payout_id BIGINT NOT NULL,
    methods JSONB NOT NULL,
    reason VARCHAR NOT NULL,
    offered_by BIGINT NOT NULL,
    offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'OPEN',
    chosen_method VARCHAR,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT payout_offers_pkey PRIMARY KEY (id),
    CONSTRAINT payout_offers_payout_id_fkey FOREIGN KEY (payout_id) REFERENCES payouts (id),
    CONSTRAINT payout_offers_offered_by_fkey FOREIGN KEY (offered_by) REFERENCES staff (id),
    CONSTRAINT payout_offers_status CHECK (status in ('OPEN', 'CHOSEN', 'OVERTAKEN')),
    CONSTRAINT payout_offers_chosen_has_method CHECK ((status = 'CHOSEN') = (chosen_method is not null)),
    CONSTRAINT payout_offers_settled_has_time CHECK ((status = 'OPEN') = (settled_at is null))
);
CREATE UNIQUE INDEX payout_offers_one_open_idx ON payout_offers (payout_id) WHERE status = 'OPEN';

-- A refund that cannot go back the way it came is returned outside the provider, and two people say so.
ALTER TABLE refunds DROP CONSTRAINT refunds_status;
ALTER TABLE refunds ADD CONSTRAINT refunds_status CHECK (
    status in ('QUEUED', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'CHARGED_BACK', 'RETURNED'));
CREATE TABLE refund_returns (
    id BIGSERIAL NOT NULL,
    refund_id BIGINT NOT NULL,
    way VARCHAR NOT NULL,
    reference VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'PROPOSED',
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT refund_returns_pkey PRIMARY KEY (id),
    CONSTRAINT refund_returns_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refunds (id),
    CONSTRAINT refund_returns_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT refund_returns_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT refund_returns_way CHECK (way in ('BANK_TRANSFER', 'CHECK')),
    CONSTRAINT refund_returns_status CHECK (status in ('PROPOSED', 'DONE', 'WITHDRAWN')),
    CONSTRAINT refund_returns_settled_by_someone CHECK (
        (status = 'PROPOSED') = (settled_by is null) and (settled_by is null) = (settled_at is null)),
    CONSTRAINT refund_returns_two_people CHECK (status <> 'DONE' or settled_by <> proposed_by)
);
CREATE UNIQUE INDEX refund_returns_one_open_idx ON refund_returns (refund_id) WHERE status = 'PROPOSED';
CREATE TRIGGER refund_returns_keep_words BEFORE UPDATE ON refund_returns
    FOR EACH ROW WHEN (
        (OLD.id, OLD.refund_id, OLD.way, OLD.reference, OLD.reason, OLD.proposed_by, OLD.proposed_at)
        IS DISTINCT FROM (NEW.id, NEW.refund_id, NEW.way, NEW.reference, NEW.reason, NEW.proposed_by, NEW.proposed_at)
        OR OLD.status <> 'PROPOSED'
    ) EXECUTE FUNCTION refuse_rewrite();

GRANT SELECT, INSERT, UPDATE ON chargeback_acceptances, payout_offers, refund_returns TO app;
GRANT SELECT ON chargeback_acceptances, payout_offers, refund_returns TO auditor;
GRANT USAGE ON SEQUENCE chargeback_acceptances_id_seq, payout_offers_id_seq, refund_returns_id_seq TO app;
