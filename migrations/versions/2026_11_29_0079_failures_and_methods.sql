-- Why money did not arrive is told in the provider's word beside the sentence.
ALTER TABLE refunds ADD COLUMN failure_code VARCHAR;

CREATE OR REPLACE FUNCTION announce_refund() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('refund.status_changed', NEW.milestone_id, jsonb_build_object(
        'refund', NEW.id, 'to', NEW.status, 'amount', money_told(NEW.amount_minor, NEW.currency),
        'ground', NEW.ground, 'failure', NEW.failure, 'failure_code', NEW.failure_code));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_payout() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('payout.status_changed', NEW.milestone_id, jsonb_build_object(
        'payout', NEW.id, 'to', NEW.status, 'payee', known_as(NEW.party_id),
        'amount', money_told(NEW.amount_minor, NEW.currency), 'fee', money_told(NEW.fee_minor, NEW.currency),
        'method', NEW.method, 'arrival_at', NEW.arrival_at, 'failure', NEW.failure,
        'failure_code', NEW.failure_code));
    RETURN NULL;
END
$$;

-- Events that were logged before have the name too: a log is read by the shape of today. The word is known only where
-- the payout still stands as it was told.
ALTER TABLE outgoing_events DISABLE TRIGGER outgoing_events_keep_data;
UPDATE outgoing_events AS event
SET data = event.data || jsonb_build_object('failure_code', (
    SELECT failure_code FROM payouts
    WHERE event.kind = 'payout.status_changed' AND id = (event.data ->> 'payout')::bigint
        AND status = event.data ->> 'to' AND failure = event.data ->> 'failure'))
WHERE event.kind IN ('payout.status_changed', 'refund.status_changed');
ALTER TABLE outgoing_events ENABLE TRIGGER outgoing_events_keep_data;

-- What the provider wrote stays with its operation; here stands the desk's sentence.
UPDATE payouts SET failure = said.sentence
FROM (VALUES
    ('account_closed', 'The bank account is closed.'),
    ('account_frozen', 'The bank account is frozen.'),
    ('bank_account_restricted', 'The bank account does not take this kind of payment.'),
    ('bank_account_unusable', 'The bank account sent a payout back before.'),
    ('bank_ownership_changed', 'The bank belongs to another one now, and the account''s number changed.'),
    ('could_not_process', 'The bank could not process it.'),
    ('debit_not_authorized', 'The bank account may not be used for payments from Stripe.'),
    ('incorrect_account_holder_name', 'The account holder''s name is not right.'),
    ('invalid_account_number', 'The account number is not right.'),
    ('invalid_currency', 'The bank account does not take this currency.'),
    ('no_account', 'There is no such bank account.')
) AS said (code, sentence)
WHERE payouts.failure_code = said.code;

-- What a payer pays with, in the provider's words, and since when it is kept for charges while they are away. Of the
-- methods of before only that is known.
ALTER TABLE parties
    ADD COLUMN method_kind VARCHAR,
    ADD COLUMN method_brand VARCHAR,
    ADD COLUMN method_last4 VARCHAR,
    ADD COLUMN method_saved_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT parties_method
        CHECK (method_kind is not null or (method_brand is null and method_last4 is null)) NOT VALID,
    ADD CONSTRAINT parties_saved_method CHECK (payment_method is not null or method_saved_at is null) NOT VALID;
ALTER TABLE parties VALIDATE CONSTRAINT parties_method;
ALTER TABLE parties VALIDATE CONSTRAINT parties_saved_method;
UPDATE parties SET method_saved_at = saved.at
FROM (SELECT party_id, payment_method, max(changed_at) AS at FROM payment_method_setups
      WHERE status = 'SAVED' GROUP BY party_id, payment_method) AS saved
WHERE saved.party_id = parties.id AND saved.payment_method = parties.payment_method;
