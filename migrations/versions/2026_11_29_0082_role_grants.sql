-- A role is given by two administrators: one proposes it, another approves, and giving it is the database's own act.
CREATE TABLE role_grants (
    id BIGSERIAL NOT NULL,
    staff_id BIGINT NOT NULL,
    roles JSONB NOT NULL,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR DEFAULT 'PROPOSED' NOT NULL,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    CONSTRAINT role_grants_pkey PRIMARY KEY (id),
    CONSTRAINT role_grants_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT role_grants_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT role_grants_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT role_grants_some_roles CHECK (jsonb_typeof(roles) = 'array' and roles <> '[]'
        and roles <@ '["mediator", "finance", "compliance", "administrator"]'),
    CONSTRAINT role_grants_not_ones_own CHECK (staff_id <> proposed_by
        and (settled_by is null or staff_id <> settled_by)),
    CONSTRAINT role_grants_status CHECK (status in ('PROPOSED', 'DONE', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    CONSTRAINT role_grants_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null)
        and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    CONSTRAINT role_grants_two_people CHECK (status not in ('DONE', 'REJECTED') or settled_by <> proposed_by)
);
CREATE UNIQUE INDEX role_grants_one_open_idx ON role_grants (staff_id) WHERE status = 'PROPOSED';
GRANT SELECT, INSERT ON role_grants TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON role_grants TO app;
GRANT SELECT ON role_grants TO auditor;
GRANT USAGE ON SEQUENCE role_grants_id_seq TO app;
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('role_grants', 'PROPOSED', 'DONE'),
    ('role_grants', 'PROPOSED', 'REJECTED'),
    ('role_grants', 'PROPOSED', 'WITHDRAWN'),
    ('role_grants', 'PROPOSED', 'RETURNED');
CREATE TRIGGER role_grants_legal_move BEFORE UPDATE OF status ON role_grants FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER role_grants_recorded AFTER UPDATE OF status ON role_grants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('role_grant', 'status', 'id');
CREATE TRIGGER role_grants_stand_on_their_maker BEFORE UPDATE OF status ON role_grants FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'administrator');
CREATE TRIGGER role_grants_begin_as_proposals BEFORE INSERT ON role_grants FOR EACH ROW
    WHEN (NEW.status <> 'PROPOSED') EXECUTE FUNCTION refuse_rewrite();

-- Someone is asked to join: known by the link that was sent to them until they have signed in with it, once.
CREATE TABLE staff_invitations (
    id BIGSERIAL NOT NULL,
    email VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    skills JSONB NOT NULL,
    roles JSONB NOT NULL,
    reason VARCHAR NOT NULL,
    token_hash BYTEA NOT NULL,
    invited_by BIGINT NOT NULL,
    invited_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    staff_id BIGINT,
    ended_by BIGINT,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT staff_invitations_pkey PRIMARY KEY (id),
    CONSTRAINT staff_invitations_token_hash_key UNIQUE (token_hash),
    CONSTRAINT staff_invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES staff (id),
    CONSTRAINT staff_invitations_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT staff_invitations_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES staff (id),
    CONSTRAINT staff_invitations_ended_once CHECK (
        (ended_at is null) = (staff_id is null and ended_by is null)
        and (staff_id is null or ended_by is null)),
    CONSTRAINT staff_invitations_some_roles CHECK (jsonb_typeof(roles) = 'array'
        and roles <@ '["mediator", "finance", "compliance", "administrator"]')
);
CREATE UNIQUE INDEX staff_invitations_one_open_idx ON staff_invitations (lower(email)) WHERE ended_at is null;
GRANT SELECT, INSERT ON staff_invitations TO app;
GRANT UPDATE (token_hash, staff_id, ended_by, ended_at) ON staff_invitations TO app;
GRANT SELECT (id, email, name, title, skills, roles, reason, invited_by, invited_at, expires_at, staff_id, ended_by,
    ended_at) ON staff_invitations TO auditor;
GRANT USAGE ON SEQUENCE staff_invitations_id_seq TO app;

-- Where a session came from, in which browser, and what the sign-in provider calls it.
ALTER TABLE staff_sessions
    ADD COLUMN address VARCHAR DEFAULT '' NOT NULL,
    ADD COLUMN browser VARCHAR DEFAULT '' NOT NULL,
    ADD COLUMN provider_session VARCHAR;
CREATE INDEX staff_sessions_provider_idx ON staff_sessions (provider_session) WHERE provider_session is not null;

-- The application gives no role by itself.
REVOKE INSERT, UPDATE ON staff_roles FROM app;

-- Whoever gives roles or takes them holds this until they are done, so two at once see each other.
CREATE FUNCTION lock_administrators() RETURNS void LANGUAGE sql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('escrow desk: administrators', 0))
$$;
CREATE FUNCTION administrators() RETURNS bigint LANGUAGE sql VOLATILE SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM staff s JOIN staff_roles r ON r.staff_id = s.id
    WHERE r.role = 'administrator' AND s.active
$$;

CREATE FUNCTION give_granted_roles() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM lock_administrators();
    IF NOT EXISTS (SELECT FROM staff s JOIN staff_roles r ON r.staff_id = s.id
                   WHERE s.id = NEW.settled_by AND s.active AND r.role = 'administrator') THEN
        RAISE EXCEPTION 'staff %, who approves role grant %, is no administrator', NEW.settled_by, NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM staff s WHERE s.id = NEW.staff_id AND s.active) THEN
        RAISE EXCEPTION 'staff % does not work here, so no role is given', NEW.staff_id
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO staff_roles (staff_id, role) SELECT NEW.staff_id, each FROM jsonb_array_elements_text(NEW.roles) each
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER role_grants_give AFTER UPDATE OF status ON role_grants FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE') EXECUTE FUNCTION give_granted_roles();

-- While fewer than two administrators work here nobody could approve: the desk's first people come in this way.
CREATE FUNCTION give_role_alone(p_staff_id bigint, p_role text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM lock_administrators();
    IF administrators() >= 2 THEN
        RAISE EXCEPTION 'two administrators work here, so it takes both to give a role'
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO staff_roles (staff_id, role) VALUES (p_staff_id, p_role) ON CONFLICT DO NOTHING;
END $$;

-- Somebody can always give roles: the last administrator neither loses the role nor leaves.
CREATE FUNCTION keep_an_administrator() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
DECLARE
    was bigint := coalesce(to_jsonb(OLD) ->> 'staff_id', to_jsonb(OLD) ->> 'id');
BEGIN
    PERFORM lock_administrators();
    IF administrators() = 0 AND (
        TG_TABLE_NAME = 'staff_roles' AND EXISTS (SELECT FROM staff s WHERE s.id = was AND s.active)
        OR TG_TABLE_NAME = 'staff' AND EXISTS (
            SELECT FROM staff_roles r WHERE r.staff_id = was AND r.role = 'administrator')) THEN
        RAISE EXCEPTION 'no administrator would work here any more' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER staff_roles_keep_an_administrator AFTER DELETE ON staff_roles FOR EACH ROW
    WHEN (OLD.role = 'administrator') EXECUTE FUNCTION keep_an_administrator();
CREATE TRIGGER staff_keep_an_administrator AFTER UPDATE OF active ON staff FOR EACH ROW
    WHEN (OLD.active AND NOT NEW.active) EXECUTE FUNCTION keep_an_administrator();

-- Whoever comes back has no role until two administrators have given one.
CREATE FUNCTION come_back_without_roles() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM staff_roles r WHERE r.staff_id = NEW.id) THEN
        RAISE EXCEPTION 'staff % comes back without a role', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER staff_come_back_without_roles BEFORE UPDATE OF active ON staff FOR EACH ROW
    WHEN (NOT OLD.active AND NEW.active) EXECUTE FUNCTION come_back_without_roles();

REVOKE ALL ON FUNCTION lock_administrators, administrators, give_granted_roles, give_role_alone, keep_an_administrator,
    come_back_without_roles FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_administrators, administrators, give_role_alone TO app;
