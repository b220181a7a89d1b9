-- An entry in a colleague's name is written with a session of theirs, and not by whoever has the application's login: it
-- takes the proof of that session, which follows from the token in their browser and is stored as its hash alone. Whoever
-- is signed in now has no such proof, and signs in again.
ALTER TABLE staff_sessions ADD COLUMN proof_hash BYTEA;
UPDATE staff_sessions SET proof_hash = sha256(convert_to(gen_random_uuid()::text, 'UTF8')),
    revoked_at = coalesce(revoked_at, now());
ALTER TABLE staff_sessions ALTER COLUMN proof_hash SET NOT NULL,
    ADD CONSTRAINT staff_sessions_proof_hash CHECK (length(proof_hash) = 32);

-- What a member of staff leaves without a session: at a terminal, where the entry names the account; what the worker does
-- for an export that they asked for; joining, before the first session. A demo fills itself with what its people did.
CREATE FUNCTION require_own_name(p_actor_id bigint, p_action text, p_after jsonb, p_proof text) RETURNS void
    LANGUAGE plpgsql SECURITY INVOKER SET search_path = public, pg_temp AS $$
BEGIN
    IF p_proof IS NOT NULL THEN
        IF NOT EXISTS (
            SELECT FROM staff_sessions s
            WHERE s.staff_id = p_actor_id AND s.proof_hash = sha256(convert_to(p_proof, 'UTF8'))
        ) THEN
            RAISE EXCEPTION 'this is no session of staff %', p_actor_id USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF NOT (coalesce(p_after, '{}') ? 'via' OR p_action LIKE '%:export:finish' OR p_action = 'staff:staff:join')
        AND EXISTS (SELECT FROM installation WHERE NOT demo)
    THEN
        RAISE EXCEPTION 'an entry in the name of staff % takes a session of theirs', p_actor_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

DROP FUNCTION record_audit(timestamptz, text, bigint, text, text, text, text, text, jsonb, jsonb, bigint, bigint, bigint,
    bigint, text);
CREATE FUNCTION record_audit(
    p_at timestamptz, p_actor_kind text, p_actor_id bigint, p_role text, p_action text, p_object_kind text,
    p_object_id text, p_reason text DEFAULT null, p_before jsonb DEFAULT null, p_after jsonb DEFAULT null,
    p_project_id bigint DEFAULT null, p_milestone_id bigint DEFAULT null, p_ticket_id bigint DEFAULT null,
    p_report_id bigint DEFAULT null, p_operation_key text DEFAULT null, p_proof text DEFAULT null
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_id bigint;
BEGIN
    IF p_actor_kind = 'staff' THEN
        PERFORM require_own_name(p_actor_id, p_action, p_after, p_proof);
    END IF;
    INSERT INTO audit_entries (at, actor_kind, actor_id, role, action, object_kind, object_id, reason, before, after,
                               project_id, milestone_id, ticket_id, report_id, operation_key, recorded_at)
    VALUES (p_at, p_actor_kind, p_actor_id, p_role, p_action, p_object_kind, p_object_id, p_reason, p_before, p_after,
            p_project_id, p_milestone_id, p_ticket_id, p_report_id, p_operation_key, clock_timestamp())
    RETURNING id INTO v_id;
    RETURN v_id;
END $$;
REVOKE ALL ON FUNCTION record_audit, require_own_name FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record_audit TO app;
