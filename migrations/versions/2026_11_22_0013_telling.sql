-- How much of its share a key has left, for all processes together. Unlogged: after a crash every share is whole again.
CREATE UNLOGGED TABLE api_buckets (
    api_key_id BIGINT NOT NULL,
    tokens DOUBLE PRECISION NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    granted BOOLEAN NOT NULL,
    CONSTRAINT api_buckets_pkey PRIMARY KEY (api_key_id),
    CONSTRAINT api_buckets_api_key_id_fkey FOREIGN KEY(api_key_id) REFERENCES api_keys (id)
) WITH (fillfactor = 50);

-- Whether the payer may pay for milestones before it is their turn.
ALTER TABLE projects ADD COLUMN funding VARCHAR NOT NULL DEFAULT 'IN_TURN';
ALTER TABLE projects ADD CONSTRAINT projects_funding CHECK (funding in ('IN_TURN', 'AHEAD'));

-- The marketplace that flagged a practice may say that it is resolved: then no member of staff has.
ALTER TABLE practice_flags DROP CONSTRAINT practice_flags_resolved_by_someone;
ALTER TABLE practice_flags ADD CONSTRAINT practice_flags_resolved_by_someone
    CHECK ((resolution is null) = (resolved_at is null) and (resolved_by is null or resolution is not null));

-- Each endpoint counts what it is sent, from 1 and without a gap: who listens can put events in order and miss none. The
-- number is given when an event is first taken up. Every try is kept.
ALTER TABLE webhook_endpoints ADD COLUMN last_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outgoing_events ADD COLUMN sequence BIGINT;
ALTER TABLE outgoing_events ALTER COLUMN milestone_id DROP NOT NULL;
CREATE UNIQUE INDEX outgoing_events_sequence_idx ON outgoing_events (endpoint_id, sequence)
    WHERE sequence IS NOT NULL;

CREATE TABLE event_deliveries (
    id BIGSERIAL NOT NULL,
    event_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    status BIGINT,
    error VARCHAR,
    took_ms BIGINT NOT NULL,
    CONSTRAINT event_deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT event_deliveries_event_id_fkey FOREIGN KEY(event_id) REFERENCES outgoing_events (id)
);

CREATE INDEX event_deliveries_event_id_idx ON event_deliveries (event_id);

CREATE TRIGGER event_deliveries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER outgoing_events_keep_sequence BEFORE UPDATE OF sequence ON outgoing_events
    FOR EACH ROW WHEN (OLD.sequence IS NOT NULL AND OLD.sequence IS DISTINCT FROM NEW.sequence)
    EXECUTE FUNCTION refuse_rewrite();

-- As `announce`, for what concerns a whole project.
CREATE FUNCTION announce_of_project(p_kind text, p_project_id bigint, p_data jsonb) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO outgoing_events (endpoint_id, kind, milestone_id, data)
    SELECT endpoint.id, p_kind, NULL,
           jsonb_build_object('project', project.id, 'bid_reference', project.bid_reference) || p_data
    FROM projects AS project
    JOIN webhook_endpoints AS endpoint ON endpoint.platform = project.platform AND endpoint.removed_at IS NULL
    WHERE project.id = p_project_id
    ORDER BY endpoint.id
$$;

-- The platform's own id of a party.
CREATE FUNCTION known_as(p_party_id bigint) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT external_id FROM parties WHERE id = p_party_id
$$;

CREATE OR REPLACE FUNCTION announce_dispute() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('dispute.status_changed', NEW.milestone_id, jsonb_build_object(
        'dispute', NEW.id, 'to', NEW.status, 'reason', NEW.reason, 'resolution', NEW.resolution,
        'waiting_on', known_as(NEW.waiting_on), 'answer_due_at', NEW.answer_due_at));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_refund() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('refund.status_changed', NEW.milestone_id, jsonb_build_object(
        'refund', NEW.id, 'to', NEW.status, 'currency', NEW.currency, 'amount', NEW.amount_minor,
        'ground', NEW.ground, 'failure', NEW.failure));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION announce_payout() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('payout.status_changed', NEW.milestone_id, jsonb_build_object(
        'payout', NEW.id, 'to', NEW.status, 'payee', known_as(NEW.party_id), 'currency', NEW.currency,
        'amount', NEW.amount_minor, 'fee', NEW.fee_minor, 'method', NEW.method, 'arrival_at', NEW.arrival_at,
        'failure', NEW.failure));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_project() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_project('project.status_changed', NEW.id, jsonb_build_object(
        'from', OLD.status, 'to', NEW.status, 'completed_at', NEW.completed_at));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_engagement() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_project('engagement.status_changed', NEW.project_id, jsonb_build_object(
        'from', OLD.status, 'to', NEW.status));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_offer() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('offer.status_changed', (SELECT milestone_id FROM tickets WHERE id = NEW.ticket_id),
        jsonb_build_object(
            'offer', NEW.id, 'dispute', NEW.ticket_id, 'to', NEW.status, 'proposed_by', known_as(NEW.proposed_by),
            'currency', NEW.currency, 'released', NEW.release_minor, 'refunded', NEW.refund_minor,
            'expires_at', NEW.expires_at));
    RETURN NULL;
END
$$;

-- That something was written, and by whom; what was written is fetched by whoever may read it.
CREATE FUNCTION announce_message() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('message.sent', NEW.milestone_id, jsonb_build_object(
        'message', NEW.id, 'dispute', NEW.ticket_id, 'author', NEW.author_kind,
        'party', CASE WHEN NEW.author_kind = 'party' THEN known_as(NEW.author_id) END, 'at', NEW.at));
    RETURN NULL;
END
$$;

-- That money is held back, and no more: why is for staff.
CREATE FUNCTION announce_hold() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce(CASE WHEN NEW.released_at IS NULL THEN 'hold.placed' ELSE 'hold.lifted' END, NEW.milestone_id,
        jsonb_build_object('hold', NEW.id, 'kind', NEW.kind, 'at', coalesce(NEW.released_at, NEW.placed_at)));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_manual_review() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce(
        CASE WHEN NEW.settled_at IS NULL THEN 'manual_review.opened' ELSE 'manual_review.settled' END,
        NEW.milestone_id, jsonb_build_object(
            'manual_review', NEW.id, 'outcome', NEW.outcome, 'at', coalesce(NEW.settled_at, NEW.opened_at)));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_report() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    about jsonb := jsonb_build_object(
        'report', NEW.id, 'external_id', NEW.external_id, 'outcome', NEW.outcome, 'at', NEW.settled_at);
BEGIN
    IF NEW.milestone_id IS NULL THEN
        PERFORM announce_of_project('report.settled', NEW.project_id, about);
    ELSE
        PERFORM announce('report.settled', NEW.milestone_id, about);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_practice() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_project(
        CASE WHEN NEW.resolved_at IS NULL THEN 'practice.flagged' ELSE 'practice.resolved' END,
        NEW.project_id, jsonb_build_object(
            'practice_flag', NEW.id, 'licensed_in', NEW.licensed_in, 'needed_in', NEW.needed_in,
            'at', coalesce(NEW.resolved_at, NEW.at)));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_reviews() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_project(
        CASE WHEN NEW.revealed_at IS NULL THEN 'reviews.requested' ELSE 'reviews.opened' END,
        NEW.project_id, jsonb_build_object(
            'due_at', NEW.due_at, 'at', coalesce(NEW.revealed_at, NEW.asked_at)));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_rating() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_project('rating.calculated', NEW.project_id, jsonb_build_object(
        'party', known_as(NEW.party_id), 'tenths', NEW.tenths, 'reviews', NEW.reviews, 'at', NEW.calculated_at));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_chargeback() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('chargeback.status_changed', NEW.milestone_id, jsonb_build_object(
        'chargeback', NEW.id, 'to', NEW.status, 'reason', NEW.reason, 'currency', NEW.currency,
        'amount', NEW.amount_minor, 'due_by', NEW.due_by, 'closed_at', NEW.closed_at));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_receipt() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('receipt.issued', NEW.milestone_id, jsonb_build_object(
        'receipt', NEW.id, 'kind', NEW.kind, 'payer', known_as(NEW.payer_id), 'payee', known_as(NEW.payee_id),
        'currency', NEW.currency, 'total', NEW.total_minor, 'at', NEW.at));
    RETURN NULL;
END
$$;

CREATE TRIGGER projects_announce AFTER UPDATE OF status ON projects
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_project();
CREATE TRIGGER engagements_announce AFTER UPDATE OF status ON engagements
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_engagement();
CREATE TRIGGER offers_announce_new AFTER INSERT ON offers
    FOR EACH ROW EXECUTE FUNCTION announce_offer();
CREATE TRIGGER offers_announce AFTER UPDATE OF status ON offers
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_offer();
CREATE TRIGGER messages_announce AFTER INSERT ON messages
    FOR EACH ROW WHEN (NEW.audience = 'PARTIES') EXECUTE FUNCTION announce_message();
CREATE TRIGGER holds_announce_new AFTER INSERT ON holds
    FOR EACH ROW EXECUTE FUNCTION announce_hold();
CREATE TRIGGER holds_announce AFTER UPDATE OF released_at ON holds
    FOR EACH ROW WHEN (OLD.released_at IS NULL AND NEW.released_at IS NOT NULL) EXECUTE FUNCTION announce_hold();
CREATE TRIGGER risk_reviews_announce_new AFTER INSERT ON risk_reviews
    FOR EACH ROW EXECUTE FUNCTION announce_manual_review();
CREATE TRIGGER risk_reviews_announce AFTER UPDATE OF settled_at ON risk_reviews
    FOR EACH ROW WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL)
    EXECUTE FUNCTION announce_manual_review();
CREATE TRIGGER reports_announce AFTER UPDATE OF settled_at ON reports
    FOR EACH ROW WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL) EXECUTE FUNCTION announce_report();
CREATE TRIGGER practice_flags_announce_new AFTER INSERT ON practice_flags
    FOR EACH ROW EXECUTE FUNCTION announce_practice();
CREATE TRIGGER practice_flags_announce AFTER UPDATE OF resolved_at ON practice_flags
    FOR EACH ROW WHEN (OLD.resolved_at IS NULL AND NEW.resolved_at IS NOT NULL)
    EXECUTE FUNCTION announce_practice();
CREATE TRIGGER review_rounds_announce_new AFTER INSERT ON review_rounds
    FOR EACH ROW EXECUTE FUNCTION announce_reviews();
CREATE TRIGGER review_rounds_announce AFTER UPDATE OF revealed_at ON review_rounds
    FOR EACH ROW WHEN (OLD.revealed_at IS NULL AND NEW.revealed_at IS NOT NULL) EXECUTE FUNCTION announce_reviews();
CREATE TRIGGER final_ratings_announce AFTER INSERT ON final_ratings
    FOR EACH ROW EXECUTE FUNCTION announce_rating();
CREATE TRIGGER chargebacks_announce_new AFTER INSERT ON chargebacks
    FOR EACH ROW EXECUTE FUNCTION announce_chargeback();
CREATE TRIGGER chargebacks_announce AFTER UPDATE OF status ON chargebacks
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_chargeback();
CREATE TRIGGER receipts_announce AFTER INSERT ON receipts
    FOR EACH ROW EXECUTE FUNCTION announce_receipt();

GRANT SELECT, INSERT, UPDATE ON api_buckets TO app;
GRANT UPDATE (last_sequence) ON webhook_endpoints TO app;
GRANT SELECT, INSERT ON event_deliveries TO app;
GRANT USAGE ON SEQUENCE event_deliveries_id_seq TO app;
GRANT SELECT ON api_buckets, event_deliveries TO auditor;
