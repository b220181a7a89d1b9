-- A key of a platform. Its secret is shown once and kept as a hash; what it signs with is never stored here at all.
CREATE TABLE api_keys (
    id BIGSERIAL NOT NULL,
    platform VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    prefix VARCHAR NOT NULL,
    secret_hash BYTEA NOT NULL,
    may_write BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_prefix_key UNIQUE (prefix),
    CONSTRAINT api_keys_platform CHECK (platform in ('home_services', 'legal_services')),
    CONSTRAINT api_keys_hash CHECK (octet_length(secret_hash) = 32)
);

-- What was answered to a request, written in the transaction of what the request did. `status` and `body` are empty only
-- inside that transaction.
CREATE TABLE api_answers (
    platform VARCHAR NOT NULL,
    idempotency_key VARCHAR NOT NULL,
    request_hash BYTEA NOT NULL,
    api_key_id BIGINT NOT NULL,
    status BIGINT,
    body VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT api_answers_pkey PRIMARY KEY (platform, idempotency_key),
    CONSTRAINT api_answers_api_key_id_fkey FOREIGN KEY(api_key_id) REFERENCES api_keys (id)
);

CREATE INDEX api_answers_created_at_idx ON api_answers (created_at);

-- Where a platform wants to be told.
CREATE TABLE webhook_endpoints (
    id BIGSERIAL NOT NULL,
    platform VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    nonce VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_endpoints_nonce_key UNIQUE (nonce),
    CONSTRAINT webhook_endpoints_platform CHECK (platform in ('home_services', 'legal_services'))
);

CREATE UNIQUE INDEX webhook_endpoints_open_idx ON webhook_endpoints (platform, url) WHERE removed_at IS NULL;

-- What a platform is told, once for each of its endpoints. `created_at` is the server's clock: it says when the change
-- was written down; times of the flow itself are inside `data`.
CREATE TABLE outgoing_events (
    id BIGSERIAL NOT NULL,
    endpoint_id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    milestone_id BIGINT NOT NULL,
    data JSONB NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'QUEUED',
    tries BIGINT NOT NULL DEFAULT 0,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    error VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT outgoing_events_pkey PRIMARY KEY (id),
    CONSTRAINT outgoing_events_status CHECK (status in ('QUEUED', 'SENT', 'FAILED', 'DROPPED')),
    CONSTRAINT outgoing_events_endpoint_id_fkey FOREIGN KEY(endpoint_id) REFERENCES webhook_endpoints (id),
    CONSTRAINT outgoing_events_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id)
);

CREATE INDEX outgoing_events_due_idx ON outgoing_events (next_try_at, id) WHERE status = 'QUEUED';

-- The changes themselves speak, in their own transaction: no code path can forget to, and none can make one up. The
-- functions belong to the owner, and the application may not insert. Nothing is written where nobody listens.
CREATE FUNCTION announce(p_kind text, p_milestone_id bigint, p_data jsonb) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO outgoing_events (endpoint_id, kind, milestone_id, data)
    SELECT endpoint.id, p_kind, milestone.id,
           jsonb_build_object(
               'project', project.id, 'bid_reference', project.bid_reference,
               'milestone', milestone.id, 'position', milestone.position
           ) || p_data
    FROM milestones AS milestone
    JOIN projects AS project ON project.id = milestone.project_id
    JOIN webhook_endpoints AS endpoint ON endpoint.platform = project.platform AND endpoint.removed_at IS NULL
    WHERE milestone.id = p_milestone_id
    ORDER BY endpoint.id
$$;

CREATE FUNCTION announce_milestone() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('milestone.status_changed', NEW.id, jsonb_build_object(
        'from', OLD.status, 'to', NEW.status, 'outcome', NEW.outcome));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_payment() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('payment.state_changed', NEW.milestone_id, jsonb_build_object(
        'from', NEW.from_state, 'to', NEW.to_state, 'cause', NEW.cause, 'at', NEW.at,
        'currency', (SELECT currency FROM payment_orders WHERE milestone_id = NEW.milestone_id),
        'amounts', NEW.amounts));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_dispute() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('dispute.status_changed', NEW.milestone_id, jsonb_build_object(
        'dispute', NEW.id, 'to', NEW.status, 'reason', NEW.reason, 'resolution', NEW.resolution,
        'answer_due_at', NEW.answer_due_at));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_decision() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('decision.executed', NEW.milestone_id, jsonb_build_object(
        'dispute', NEW.ticket_id, 'outcome', NEW.outcome, 'currency', NEW.currency,
        'released', NEW.release_minor, 'refunded', NEW.refund_minor, 'at', NEW.executed_at));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_refund() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('refund.status_changed', NEW.milestone_id, jsonb_build_object(
        'refund', NEW.id, 'to', NEW.status, 'currency', NEW.currency, 'amount', NEW.amount_minor));
    RETURN NULL;
END
$$;

CREATE FUNCTION announce_payout() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('payout.status_changed', NEW.milestone_id, jsonb_build_object(
        'payout', NEW.id, 'to', NEW.status, 'currency', NEW.currency, 'amount', NEW.amount_minor,
        'fee', NEW.fee_minor, 'method', NEW.method));
    RETURN NULL;
END
$$;

CREATE TRIGGER milestones_announce AFTER UPDATE OF status ON milestones
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_milestone();
CREATE TRIGGER payment_events_announce AFTER INSERT ON payment_events
    FOR EACH ROW EXECUTE FUNCTION announce_payment();
CREATE TRIGGER tickets_announce_new AFTER INSERT ON tickets
    FOR EACH ROW EXECUTE FUNCTION announce_dispute();
CREATE TRIGGER tickets_announce AFTER UPDATE OF status ON tickets
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_dispute();
CREATE TRIGGER decisions_announce_new AFTER INSERT ON decisions
    FOR EACH ROW WHEN (NEW.status = 'EXECUTED') EXECUTE FUNCTION announce_decision();
CREATE TRIGGER decisions_announce AFTER UPDATE OF status ON decisions
    FOR EACH ROW WHEN (NEW.status = 'EXECUTED' AND OLD.status <> 'EXECUTED') EXECUTE FUNCTION announce_decision();
CREATE TRIGGER refunds_announce_new AFTER INSERT ON refunds
    FOR EACH ROW EXECUTE FUNCTION announce_refund();
CREATE TRIGGER refunds_announce AFTER UPDATE OF status ON refunds
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_refund();
CREATE TRIGGER payouts_announce_new AFTER INSERT ON payouts
    FOR EACH ROW EXECUTE FUNCTION announce_payout();
CREATE TRIGGER payouts_announce AFTER UPDATE OF status ON payouts
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION announce_payout();

CREATE TRIGGER outgoing_events_keep_data BEFORE UPDATE ON outgoing_events
    FOR EACH ROW WHEN (
        (OLD.id, OLD.endpoint_id, OLD.kind, OLD.milestone_id, OLD.data, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.endpoint_id, NEW.kind, NEW.milestone_id, NEW.data, NEW.created_at)
    ) EXECUTE FUNCTION refuse_rewrite();

-- A key can be revoked and an endpoint removed, and nothing else about them changes. Old answers are forgotten.
GRANT SELECT, INSERT ON api_keys, webhook_endpoints TO app;
GRANT UPDATE (revoked_at) ON api_keys TO app;
GRANT UPDATE (removed_at) ON webhook_endpoints TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_answers TO app;
GRANT SELECT, UPDATE ON outgoing_events TO app;
GRANT USAGE ON SEQUENCE api_keys_id_seq, webhook_endpoints_id_seq TO app;
-- The auditor sees that keys exist, not what they are checked against.
GRANT SELECT (id, platform, label, prefix, may_write, created_at, revoked_at) ON api_keys TO auditor;
GRANT SELECT ON webhook_endpoints, outgoing_events, api_answers TO auditor;
