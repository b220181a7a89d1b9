-- Roles follow the groups that the sign-in provider names, where an installation wishes it. Which group gives which role
-- is written with the owner's login alone. docs/decisions/0039-roles-by-the-providers-groups.md says why so.
CREATE TABLE group_roles (
    id BIGSERIAL NOT NULL,
    group_name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT group_roles_pkey PRIMARY KEY (id),
    CONSTRAINT group_roles_role CHECK (role in ('mediator', 'finance', 'compliance', 'administrator')),
    CONSTRAINT group_roles_named CHECK (group_name <> ''),
    CONSTRAINT group_roles_ends_later CHECK (ended_at >= added_at)
);
CREATE UNIQUE INDEX group_roles_one_open_idx ON group_roles (group_name, role) WHERE ended_at is null;
GRANT SELECT ON group_roles TO app, auditor;
SELECT put_under_seal('group_roles');

-- Whom the provider gave which role, by which group, and until when. `held_before`: they had it from elsewhere as well.
CREATE TABLE provider_roles (
    id BIGSERIAL NOT NULL,
    staff_id BIGINT NOT NULL,
    role VARCHAR NOT NULL,
    group_name VARCHAR NOT NULL,
    held_before BOOLEAN NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT provider_roles_pkey PRIMARY KEY (id),
    CONSTRAINT provider_roles_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT provider_roles_role CHECK (role in ('mediator', 'finance', 'compliance', 'administrator'))
);
CREATE UNIQUE INDEX provider_roles_one_open_idx ON provider_roles (staff_id, role) WHERE ended_at is null;
GRANT SELECT ON provider_roles TO app, auditor;
SELECT put_under_seal('provider_roles');

-- What the groups of this colleague give is given, what they no longer give is taken, unless it was given otherwise as
-- well. The last administrator keeps the role, whatever the provider says.
CREATE FUNCTION apply_group_roles(p_staff_id bigint, p_groups text[], p_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    each record;
    changed boolean := false;
BEGIN
    PERFORM lock_administrators();
    IF NOT EXISTS (SELECT FROM staff s WHERE s.id = p_staff_id AND s.active) THEN
        RAISE EXCEPTION 'staff % does not work here, so no role is given', p_staff_id USING ERRCODE = 'check_violation';
    END IF;
    FOR each IN
        SELECT g.role, min(g.group_name) AS group_name FROM group_roles g
        WHERE g.ended_at IS NULL AND g.group_name = ANY (p_groups) AND NOT EXISTS (
            SELECT FROM provider_roles p WHERE p.staff_id = p_staff_id AND p.role = g.role AND p.ended_at IS NULL)
        GROUP BY g.role ORDER BY g.role
    LOOP
        INSERT INTO provider_roles (staff_id, role, group_name, held_before, given_at)
        SELECT p_staff_id, each.role, each.group_name,
            EXISTS (SELECT FROM staff_roles r WHERE r.staff_id = p_staff_id AND r.role = each.role), p_at;
        INSERT INTO staff_roles (staff_id, role) VALUES (p_staff_id, each.role) ON CONFLICT DO NOTHING;
        changed := true;
    END LOOP;
    FOR each IN
        SELECT p.id, p.role, p.held_before OR EXISTS (
            SELECT FROM role_grants g WHERE g.staff_id = p_staff_id AND g.status = 'DONE'
                AND g.settled_at > p.given_at AND g.roles ? p.role) AS otherwise
        FROM provider_roles p
        WHERE p.staff_id = p_staff_id AND p.ended_at IS NULL AND NOT EXISTS (
            SELECT FROM group_roles g WHERE g.ended_at IS NULL AND g.role = p.role AND g.group_name = ANY (p_groups))
        ORDER BY p.role
    LOOP
        CONTINUE WHEN each.role = 'administrator' AND NOT each.otherwise AND administrators() = 1;
        UPDATE provider_roles SET ended_at = greatest(p_at, given_at) WHERE id = each.id;
        IF NOT each.otherwise THEN
            DELETE FROM staff_roles WHERE staff_id = p_staff_id AND role = each.role;
        END IF;
        changed := true;
    END LOOP;
    RETURN changed;
END $$;

-- A role that an administrator takes, or that goes with a colleague who leaves, is not the provider's any more either.
CREATE FUNCTION end_provider_role() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE provider_roles SET ended_at = greatest(now(), given_at)
    WHERE staff_id = OLD.staff_id AND role = OLD.role AND ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER staff_roles_end_provider_role AFTER DELETE ON staff_roles FOR EACH ROW
    EXECUTE FUNCTION end_provider_role();
CREATE CONSTRAINT TRIGGER provider_roles_given_recorded AFTER INSERT ON provider_roles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('staff', 'staff_id', '%:role:follow_groups');
CREATE CONSTRAINT TRIGGER provider_roles_ended_recorded AFTER UPDATE ON provider_roles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('staff', 'staff_id', '%');

-- As before, and what the provider gives stays when nobody reviews the emergency.
CREATE OR REPLACE FUNCTION settle_emergency() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM lock_administrators();
    IF NEW.reviewed_by IS NOT NULL AND NOT EXISTS (
        SELECT FROM staff s JOIN staff_roles r ON r.staff_id = s.id
        WHERE s.id = NEW.reviewed_by AND s.active AND r.role = 'administrator') THEN
        RAISE EXCEPTION 'staff %, who reviews emergency grant %, is no administrator', NEW.reviewed_by, NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT NEW.stands THEN
        -- From then on it is the provider's alone.
        UPDATE provider_roles SET held_before = false
        WHERE staff_id = NEW.staff_id AND role = NEW.role AND ended_at IS NULL AND given_at >= NEW.given_at;
        -- What two administrators gave since, after it was taken, is theirs.
        DELETE FROM staff_roles r WHERE r.staff_id = NEW.staff_id AND r.role = NEW.role AND NOT EXISTS (
            SELECT FROM role_grants g WHERE g.staff_id = NEW.staff_id AND g.status = 'DONE'
                AND g.settled_at > NEW.given_at AND g.roles ? NEW.role)
            AND NOT EXISTS (SELECT FROM provider_roles p
                WHERE p.staff_id = NEW.staff_id AND p.role = NEW.role AND p.ended_at IS NULL);
    END IF;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION apply_group_roles, end_provider_role FROM PUBLIC;
GRANT EXECUTE ON FUNCTION apply_group_roles TO app;
