-- An amount in an event has the form of an answer: whole minor units with their currency.
CREATE FUNCTION money_told(p_minor bigint, p_currency text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('minor', p_minor, 'currency', p_currency)
$$;

CREATE OR REPLACE FUNCTION announce_payment() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    in_currency text := (SELECT currency FROM payment_orders WHERE milestone_id = NEW.milestone_id);
BEGIN
    PERFORM announce('payment.state_changed', NEW.milestone_id, jsonb_build_object(
        'from', NEW.from_state, 'to', NEW.to_state, 'cause', NEW.cause, 'at', NEW.at,
        'amounts', (SELECT coalesce(jsonb_object_agg(each.key, money_told(each.value::bigint, in_currency)), '{}')
                    FROM jsonb_each_text(NEW.amounts) AS each)));
    RETURN NULL;
END
$$;

-- A proposal and a decision say what is to go where. What has gone there, the payment says.
CREATE OR REPLACE FUNCTION announce_decision() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('decision.executed', NEW.milestone_id, jsonb_build_object(
        'dispute', NEW.case_id, 'outcome', NEW.outcome, 'release', money_told(NEW.release_minor, NEW.currency),
        'refund', money_told(NEW.refund_minor, NEW.currency), 'at', NEW.executed_at));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_offer() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('offer.status_changed', (SELECT milestone_id FROM cases WHERE id = NEW.case_id),
        jsonb_build_object(
            'offer', NEW.id, 'dispute', NEW.case_id, 'to', NEW.status, 'proposed_by', known_as(NEW.proposed_by),
            'release', money_told(NEW.release_minor, NEW.currency),
            'refund', money_told(NEW.refund_minor, NEW.currency), 'expires_at', NEW.expires_at));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_refund() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('refund.status_changed', NEW.milestone_id, jsonb_build_object(
        'refund', NEW.id, 'to', NEW.status, 'amount', money_told(NEW.amount_minor, NEW.currency),
        'ground', NEW.ground, 'failure', NEW.failure));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_payout() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('payout.status_changed', NEW.milestone_id, jsonb_build_object(
        'payout', NEW.id, 'to', NEW.status, 'payee', known_as(NEW.party_id),
        'amount', money_told(NEW.amount_minor, NEW.currency), 'fee', money_told(NEW.fee_minor, NEW.currency),
        'method', NEW.method, 'arrival_at', NEW.arrival_at, 'failure', NEW.failure));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_chargeback() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('chargeback.status_changed', NEW.milestone_id, jsonb_build_object(
        'chargeback', NEW.id, 'to', NEW.status, 'reason', NEW.reason,
        'amount', money_told(NEW.amount_minor, NEW.currency), 'due_by', NEW.due_by, 'closed_at', NEW.closed_at));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_receipt() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('receipt.issued', NEW.milestone_id, jsonb_build_object(
        'receipt', NEW.id, 'kind', NEW.kind, 'payer', known_as(NEW.payer_id), 'payee', known_as(NEW.payee_id),
        'total', money_told(NEW.total_minor, NEW.currency), 'at', NEW.at));
    RETURN NULL;
END
$$;

-- Whoever proposes again replaces their own proposal; nobody withdrew it.
ALTER TABLE offers
    DROP CONSTRAINT offers_status,
    ADD CONSTRAINT offers_status
        CHECK (status in ('OPEN', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'REPLACED', 'EXPIRED'));
INSERT INTO status_moves (relation, from_status, to_status) VALUES ('offers', 'OPEN', 'REPLACED');
