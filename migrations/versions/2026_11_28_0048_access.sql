-- A key or a secret is replaced while the one before it still works for a day.
ALTER TABLE api_keys ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE;
GRANT UPDATE (expires_at) ON api_keys TO app;
ALTER TABLE webhook_endpoints ADD COLUMN previous_nonce VARCHAR;
ALTER TABLE webhook_endpoints ADD COLUMN previous_until TIMESTAMP WITH TIME ZONE;
ALTER TABLE webhook_endpoints ADD CONSTRAINT webhook_endpoints_previous CHECK (
    (previous_nonce is null) = (previous_until is null));
GRANT UPDATE (nonce, previous_nonce, previous_until) ON webhook_endpoints TO app;

-- An event that says nothing but that it arrives; the application itself may write none.
CREATE FUNCTION announce_test(p_endpoint_id bigint, p_at timestamptz) RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO outgoing_events (endpoint_id, kind, milestone_id, data)
    SELECT id, 'endpoint.tested', NULL, jsonb_build_object('endpoint', id, 'at', p_at)
    FROM webhook_endpoints WHERE id = p_endpoint_id AND removed_at IS NULL
    RETURNING id
$$;
REVOKE ALL ON FUNCTION announce_test FROM PUBLIC;
GRANT EXECUTE ON FUNCTION announce_test TO app;
