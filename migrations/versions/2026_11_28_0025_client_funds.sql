-- What Stripe itself says it holds, and where payouts stop because that is too little.
CREATE TABLE stripe_balances (
    id BIGSERIAL NOT NULL,
    currency VARCHAR NOT NULL,
    looked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    at_stripe_minor BIGINT NOT NULL,
    owed_minor BIGINT NOT NULL,
    on_its_way_minor BIGINT NOT NULL,
    CONSTRAINT stripe_balances_pkey PRIMARY KEY (id)
);
CREATE INDEX stripe_balances_currency_idx ON stripe_balances (currency, looked_at);
CREATE TABLE payout_stops (
    id BIGSERIAL NOT NULL,
    currency VARCHAR NOT NULL,
    short_minor BIGINT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    released_by BIGINT,
    released_at TIMESTAMP WITH TIME ZONE,
    reason VARCHAR,
    CONSTRAINT payout_stops_pkey PRIMARY KEY (id),
    CONSTRAINT payout_stops_released_by_fkey FOREIGN KEY (released_by) REFERENCES staff (id),
    CONSTRAINT payout_stops_short CHECK (short_minor > 0),
    CONSTRAINT payout_stops_released_by_someone CHECK (
        (released_at is null) = (released_by is null) and (released_at is null) = (reason is null))
);
CREATE UNIQUE INDEX payout_stops_one_open_idx ON payout_stops (currency) WHERE released_at IS NULL;
CREATE TRIGGER payout_stops_keep_words BEFORE UPDATE ON payout_stops
    FOR EACH ROW WHEN (
        (OLD.id, OLD.currency, OLD.short_minor, OLD.opened_at)
        IS DISTINCT FROM (NEW.id, NEW.currency, NEW.short_minor, NEW.opened_at)
        OR OLD.released_at IS NOT NULL
    ) EXECUTE FUNCTION refuse_rewrite();

GRANT SELECT, INSERT ON stripe_balances, payout_stops TO app;
GRANT UPDATE (released_by, released_at, reason) ON payout_stops TO app;
GRANT SELECT ON stripe_balances, payout_stops TO auditor;
GRANT USAGE ON SEQUENCE stripe_balances_id_seq, payout_stops_id_seq TO app;

-- A letter to staff may be about the money of a whole currency, and no project.
ALTER TABLE notifications ALTER COLUMN project_id DROP NOT NULL;
ALTER TABLE notifications ADD CONSTRAINT notifications_party_has_project
    CHECK (party_id is null or project_id is not null);

-- What the payer has back makes the rest no less held: such payments were called partly released.
INSERT INTO payment_events (milestone_id, from_state, to_state, cause, amounts, at)
SELECT milestone_id, state, 'PAID_HELD', 'migration.0025',
       jsonb_build_object('funded', funded_minor, 'held', held_minor, 'payable', payable_minor,
                          'refundable', refundable_minor, 'released', released_minor, 'refunded', refunded_minor),
       now()
FROM payment_orders
WHERE state = 'PARTIALLY_RELEASED' AND held_minor > 0 AND payable_minor = 0 AND released_minor = 0;
SELECT record_audit(
    p_at => now(), p_actor_kind => 'system', p_actor_id => null, p_role => null,
    p_action => 'system:payment_order:rename', p_object_kind => 'payment_order', p_object_id => milestone_id::text,
    p_reason => 'What the payer has back makes the rest no less held.',
    p_before => jsonb_build_object('state', state), p_after => jsonb_build_object('state', 'PAID_HELD'),
    p_project_id => null, p_milestone_id => milestone_id, p_ticket_id => null, p_report_id => null,
    p_operation_key => null)
FROM payment_orders
WHERE state = 'PARTIALLY_RELEASED' AND held_minor > 0 AND payable_minor = 0 AND released_minor = 0;
UPDATE payment_orders SET state = 'PAID_HELD'
WHERE state = 'PARTIALLY_RELEASED' AND held_minor > 0 AND payable_minor = 0 AND released_minor = 0;
