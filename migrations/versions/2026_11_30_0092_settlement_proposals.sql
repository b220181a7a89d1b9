-- One word for one thing: what one party proposes to the other is a settlement proposal, what a person must settle before
-- money moves a risk review. What is sealed already (entries, plans, case files, e-mails, events that were told) keeps
-- the word that it was sealed with.
ALTER TABLE offers RENAME TO settlement_proposals;
ALTER SEQUENCE offers_id_seq RENAME TO settlement_proposals_id_seq;
DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT tgname AS name FROM pg_trigger
        WHERE tgrelid = 'settlement_proposals'::regclass AND NOT tgisinternal AND tgname LIKE 'offers\_%' LOOP
        EXECUTE format('ALTER TRIGGER %I ON settlement_proposals RENAME TO %I', each.name,
                       replace(each.name, 'offers_', 'settlement_proposals_'));
    END LOOP;
    FOR each IN SELECT conname AS name FROM pg_constraint
        WHERE conrelid = 'settlement_proposals'::regclass AND contype <> 't' AND conname LIKE 'offers\_%' LOOP
        EXECUTE format('ALTER TABLE settlement_proposals RENAME CONSTRAINT %I TO %I', each.name,
                       replace(each.name, 'offers_', 'settlement_proposals_'));
    END LOOP;
    FOR each IN SELECT indexname AS name FROM pg_indexes
        WHERE schemaname = 'public' AND tablename = 'settlement_proposals' AND indexname LIKE 'offers\_%' LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', each.name, replace(each.name, 'offers_', 'settlement_proposals_'));
    END LOOP;
END $$;
UPDATE status_moves SET relation = 'settlement_proposals' WHERE relation = 'offers';
-- The log of rows knows a row by its table's name: under this one it begins with the rows as they are.
SELECT take_rows_in('settlement_proposals');

ALTER FUNCTION announce_offer() RENAME TO announce_settlement_proposal;
CREATE OR REPLACE FUNCTION announce_settlement_proposal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('settlement_proposal.status_changed', (SELECT milestone_id FROM cases WHERE id = NEW.case_id),
        jsonb_build_object(
            'settlement_proposal', NEW.id, 'dispute', NEW.case_id, 'to', NEW.status,
            'proposed_by', known_as(NEW.proposed_by), 'release', money_told(NEW.release_minor, NEW.currency),
            'refund', money_told(NEW.refund_minor, NEW.currency), 'expires_at', NEW.expires_at));
    RETURN NULL;
END
$$;

ALTER TABLE payment_events DISABLE TRIGGER payment_events_append_only;
ALTER TABLE payment_events DROP CONSTRAINT payment_events_cause_kind;
UPDATE payment_events SET cause_kind = 'SETTLEMENT_PROPOSAL',
    caused_by = (caused_by - 'offer') || jsonb_build_object('settlement_proposal', caused_by -> 'offer')
WHERE cause_kind = 'OFFER';
ALTER TABLE payment_events ADD CONSTRAINT payment_events_cause_kind CHECK (cause_kind IN (
    'CHARGE_REQUESTED', 'CHARGE_SETTLED', 'CHARGE_FAILED', 'MILESTONE_CANCELED', 'APPROVAL', 'DECISION',
    'SETTLEMENT_PROPOSAL', 'PAYOUT', 'SET_OFF', 'REFUND', 'REFUND_FAILED', 'CHARGEBACK'));
ALTER TABLE payment_events ENABLE TRIGGER payment_events_append_only;
CREATE OR REPLACE FUNCTION announce_payment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    in_currency text := (SELECT currency FROM payment_orders WHERE milestone_id = NEW.milestone_id);
BEGIN
    PERFORM announce('payment.state_changed', NEW.milestone_id, jsonb_build_object(
        'from', NEW.from_state, 'to', NEW.to_state, 'at', NEW.at,
        'cause', jsonb_build_object(
            'kind', NEW.cause_kind, 'dispute', NEW.caused_by -> 'dispute',
            'settlement_proposal', NEW.caused_by -> 'settlement_proposal', 'refund', NEW.caused_by -> 'refund',
            'payout', NEW.caused_by -> 'payout', 'chargeback', NEW.caused_by -> 'chargeback'),
        'amounts', (SELECT coalesce(jsonb_object_agg(each.key, money_told(each.value::bigint, in_currency)), '{}')
                    FROM jsonb_each_text(NEW.amounts) AS each)));
    RETURN NULL;
END
$$;

ALTER FUNCTION announce_manual_review() RENAME TO announce_risk_review;
CREATE OR REPLACE FUNCTION announce_risk_review() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.outcome IS DISTINCT FROM 'HELD' THEN
        PERFORM announce(
            CASE WHEN NEW.settled_at IS NULL THEN 'risk_review.opened' ELSE 'risk_review.settled' END,
            NEW.milestone_id, jsonb_build_object(
                'risk_review', NEW.id, 'outcome', NEW.outcome, 'at', coalesce(NEW.settled_at, NEW.opened_at)));
    END IF;
    RETURN NULL;
END
$$;
