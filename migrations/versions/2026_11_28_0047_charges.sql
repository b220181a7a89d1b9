-- How each charge stands with the payer's bank: it may ask the payer, or answer days later.
CREATE TABLE charges (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    operation_id BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    off_session BOOLEAN NOT NULL,
    client_secret VARCHAR,
    action_url VARCHAR,
    confirm_by TIMESTAMP WITH TIME ZONE,
    code VARCHAR,
    failure VARCHAR,
    next_retry_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT charges_pkey PRIMARY KEY (id),
    CONSTRAINT charges_operation_id_key UNIQUE (operation_id),
    CONSTRAINT charges_milestone_id_fkey FOREIGN KEY (milestone_id) REFERENCES payment_orders (milestone_id),
    CONSTRAINT charges_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES outgoing_operations (id),
    CONSTRAINT charges_status
        CHECK (status in ('SENDING', 'REQUIRES_ACTION', 'PROCESSING', 'SUCCEEDED', 'FAILED')),
    CONSTRAINT charges_asked_until CHECK ((status = 'REQUIRES_ACTION') = (confirm_by is not null)),
    CONSTRAINT charges_secret_while_asked CHECK (status = 'REQUIRES_ACTION' or client_secret is null),
    CONSTRAINT charges_ended CHECK ((status in ('SUCCEEDED', 'FAILED')) = (ended_at is not null))
);
CREATE UNIQUE INDEX charges_one_open_idx ON charges (milestone_id)
    WHERE status in ('SENDING', 'REQUIRES_ACTION', 'PROCESSING');
CREATE INDEX charges_milestone_idx ON charges (milestone_id, id);

-- Every charge of before was made without the payer, and had its answer at once.
INSERT INTO charges (milestone_id, operation_id, status, off_session, created_at, ended_at)
SELECT o.milestone_id, o.id,
    CASE WHEN o.status = 'SUCCEEDED' THEN 'SUCCEEDED' WHEN p.in_flight AND o.id = last.id THEN 'SENDING' ELSE 'FAILED' END,
    true, o.created_at,
    CASE WHEN o.status = 'SUCCEEDED' OR NOT (p.in_flight AND o.id = last.id)
        THEN coalesce(o.finished_at, o.created_at) END
FROM outgoing_operations o
JOIN payment_orders p ON p.milestone_id = o.milestone_id
JOIN (SELECT milestone_id, max(id) AS id FROM outgoing_operations WHERE kind = 'CHARGE' GROUP BY 1) last
    ON last.milestone_id = o.milestone_id
WHERE o.kind = 'CHARGE'
ORDER BY o.id;

INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('charges', 'SENDING', 'REQUIRES_ACTION'), ('charges', 'SENDING', 'PROCESSING'),
    ('charges', 'SENDING', 'SUCCEEDED'), ('charges', 'SENDING', 'FAILED'),
    ('charges', 'REQUIRES_ACTION', 'PROCESSING'), ('charges', 'REQUIRES_ACTION', 'SUCCEEDED'),
    ('charges', 'REQUIRES_ACTION', 'FAILED'), ('charges', 'PROCESSING', 'SUCCEEDED'),
    ('charges', 'PROCESSING', 'FAILED'), ('charges', 'FAILED', 'SUCCEEDED');
CREATE TRIGGER charges_legal_move BEFORE UPDATE OF status ON charges FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER charges_recorded AFTER UPDATE OF status ON charges DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('charge', 'status', 'id');

-- The marketplace is told where the payer has something to do, or has to wait, and why nothing came of it. That the
-- money is held, the state of the payment says.
CREATE FUNCTION announce_charge() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_order payment_orders := (SELECT o FROM payment_orders o WHERE milestone_id = NEW.milestone_id);
    v_amount jsonb := jsonb_build_object('amount', money_told(v_order.charge_minor, v_order.currency));
BEGIN
    IF NEW.status = 'REQUIRES_ACTION' THEN
        PERFORM announce('payment.requires_action', NEW.milestone_id,
            v_amount || jsonb_build_object('off_session', NEW.off_session, 'confirm_by', NEW.confirm_by));
    ELSIF NEW.status = 'PROCESSING' THEN
        PERFORM announce('payment.processing', NEW.milestone_id, v_amount);
    ELSE
        PERFORM announce('payment.failed', NEW.milestone_id,
            v_amount || jsonb_build_object('code', NEW.code, 'sentence', NEW.failure,
                'next_retry_at', NEW.next_retry_at));
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION announce_charge() FROM PUBLIC;
CREATE TRIGGER charges_announced AFTER UPDATE OF status ON charges FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('REQUIRES_ACTION', 'PROCESSING', 'FAILED'))
    EXECUTE FUNCTION announce_charge();

-- Payment methods that payers save for charges while they are away.
CREATE TABLE payment_method_setups (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    stripe_setup_intent VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    payment_method VARCHAR,
    code VARCHAR,
    failure VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT payment_method_setups_pkey PRIMARY KEY (id),
    CONSTRAINT payment_method_setups_stripe_setup_intent_key UNIQUE (stripe_setup_intent),
    CONSTRAINT payment_method_setups_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT payment_method_setups_status CHECK (status in ('OPEN', 'SAVED', 'FAILED')),
    CONSTRAINT payment_method_setups_saved_method CHECK ((status = 'SAVED') = (payment_method is not null))
);
CREATE INDEX payment_method_setups_party_id_idx ON payment_method_setups (party_id);
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('payment_method_setups', 'OPEN', 'SAVED'), ('payment_method_setups', 'OPEN', 'FAILED'),
    ('payment_method_setups', 'FAILED', 'SAVED');
CREATE TRIGGER payment_method_setups_legal_move BEFORE UPDATE OF status ON payment_method_setups FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER payment_method_setups_recorded AFTER UPDATE OF status ON payment_method_setups
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('payment_method_setup', 'status', 'id');

CREATE FUNCTION announce_setup() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.status = 'SAVED' THEN
        PERFORM announce_of_party('payment_method.saved', NEW.party_id,
            jsonb_build_object('setup', NEW.id, 'at', NEW.changed_at));
    ELSE
        PERFORM announce_of_party('payment_method.refused', NEW.party_id,
            jsonb_build_object('setup', NEW.id, 'code', NEW.code, 'sentence', NEW.failure, 'at', NEW.changed_at));
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION announce_setup() FROM PUBLIC;
CREATE TRIGGER payment_method_setups_announced AFTER UPDATE OF status, code ON payment_method_setups FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR (NEW.status = 'FAILED' AND OLD.code IS DISTINCT FROM NEW.code))
    EXECUTE FUNCTION announce_setup();

GRANT SELECT, INSERT, UPDATE ON charges, payment_method_setups TO app;
GRANT SELECT ON charges, payment_method_setups TO auditor;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
