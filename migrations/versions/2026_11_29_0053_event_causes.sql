-- Why a payment changed its state, in words for programs: a kind, and the numbers that a marketplace knows. What was
-- written before has neither; `cause` stays the desk's own reference, and leaves the house no more.
ALTER TABLE payment_events ADD COLUMN cause_kind VARCHAR;
ALTER TABLE payment_events ADD COLUMN caused_by JSONB;
ALTER TABLE payment_events ADD CONSTRAINT payment_events_cause_kind CHECK (cause_kind in (
    'CHARGE_REQUESTED', 'CHARGE_SETTLED', 'CHARGE_FAILED', 'MILESTONE_CANCELED', 'APPROVAL', 'DECISION', 'OFFER',
    'PAYOUT', 'SET_OFF', 'REFUND', 'REFUND_FAILED', 'CHARGEBACK'));

CREATE OR REPLACE FUNCTION announce_payment() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    in_currency text := (SELECT currency FROM payment_orders WHERE milestone_id = NEW.milestone_id);
BEGIN
    PERFORM announce('payment.state_changed', NEW.milestone_id, jsonb_build_object(
        'from', NEW.from_state, 'to', NEW.to_state, 'at', NEW.at,
        'cause', jsonb_build_object(
            'kind', NEW.cause_kind, 'dispute', NEW.caused_by -> 'dispute', 'offer', NEW.caused_by -> 'offer',
            'refund', NEW.caused_by -> 'refund', 'payout', NEW.caused_by -> 'payout',
            'chargeback', NEW.caused_by -> 'chargeback'),
        'amounts', (SELECT coalesce(jsonb_object_agg(each.key, money_told(each.value::bigint, in_currency)), '{}')
                    FROM jsonb_each_text(NEW.amounts) AS each)));
    RETURN NULL;
END
$$;

-- The desk's time is the server's, but in a demo whose clock was moved ahead. Events bear the desk's.
CREATE FUNCTION desk_time() RETURNS timestamptz LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT clock_timestamp() + coalesce((SELECT ahead FROM demo_clock), interval '0')
$$;
REVOKE ALL ON FUNCTION desk_time FROM PUBLIC;
ALTER TABLE outgoing_events ALTER COLUMN created_at SET DEFAULT desk_time();

-- Events that were logged before have the cause in the desk's own words: a log is read by the shape of today.
ALTER TABLE outgoing_events DISABLE TRIGGER outgoing_events_keep_data;
UPDATE outgoing_events
SET data = jsonb_set(data, '{cause}', jsonb_build_object(
    'kind', NULL, 'dispute', NULL, 'offer', NULL, 'refund', NULL, 'payout', NULL, 'chargeback', NULL))
WHERE kind = 'payment.state_changed' AND jsonb_typeof(data -> 'cause') = 'string';
ALTER TABLE outgoing_events ENABLE TRIGGER outgoing_events_keep_data;
