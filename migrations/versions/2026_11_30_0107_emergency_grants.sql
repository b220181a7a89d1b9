-- An administrator alone gives a role in an emergency: never their own and never that of an administrator. Another
-- administrator reviews it, and without that the role ends. docs/decisions/0035-a-role-in-an-emergency.md says why so.
CREATE TABLE emergency_grants (
    id BIGSERIAL NOT NULL,
    staff_id BIGINT NOT NULL,
    role VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    given_by BIGINT NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL,
    review_by TIMESTAMP WITH TIME ZONE NOT NULL,
    stands BOOLEAN,                                -- what came of the review, or of none
    reviewed_by BIGINT,                            -- null where nobody did in time
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    CONSTRAINT emergency_grants_pkey PRIMARY KEY (id),
    CONSTRAINT emergency_grants_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT emergency_grants_given_by_fkey FOREIGN KEY (given_by) REFERENCES staff (id),
    CONSTRAINT emergency_grants_reviewed_by_fkey FOREIGN KEY (reviewed_by) REFERENCES staff (id),
    CONSTRAINT emergency_grants_role CHECK (role in ('mediator', 'finance', 'compliance', 'administrator')),
    CONSTRAINT emergency_grants_no_administrator CHECK (role <> 'administrator'),
    CONSTRAINT emergency_grants_says_why CHECK (reason <> ''),
    CONSTRAINT emergency_grants_not_ones_own CHECK (staff_id <> given_by),
    CONSTRAINT emergency_grants_reviewed_by_another CHECK (reviewed_by <> given_by and reviewed_by <> staff_id),
    CONSTRAINT emergency_grants_within_a_day CHECK (review_by > given_at and review_by <= given_at + interval '24 hours'),
    CONSTRAINT emergency_grants_settled_whole CHECK ((settled_at is null) = (stands is null)
        and (settled_at is not null or reviewed_by is null and note is null)
        and (stands is not true or reviewed_by is not null)
        and (reviewed_by is null) = (note is null))
);
CREATE UNIQUE INDEX emergency_grants_one_open_idx ON emergency_grants (staff_id, role) WHERE settled_at is null;
CREATE INDEX emergency_grants_review_idx ON emergency_grants (review_by) WHERE settled_at is null;
GRANT SELECT, INSERT ON emergency_grants TO app;
GRANT UPDATE (stands, reviewed_by, settled_at, note) ON emergency_grants TO app;
GRANT USAGE ON SEQUENCE emergency_grants_id_seq TO app;
GRANT SELECT ON emergency_grants TO auditor;
SELECT put_under_seal('emergency_grants');

-- The database gives the role, and takes it where the review or the lack of one says so.
CREATE FUNCTION give_in_emergency() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM lock_administrators();
    IF NEW.settled_at IS NOT NULL THEN
        RAISE EXCEPTION 'a role that is given in an emergency waits for its review' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM staff s JOIN staff_roles r ON r.staff_id = s.id
                   WHERE s.id = NEW.given_by AND s.active AND r.role = 'administrator') THEN
        RAISE EXCEPTION 'staff %, who gives a role in an emergency, is no administrator', NEW.given_by
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM staff s WHERE s.id = NEW.staff_id AND s.active) THEN
        RAISE EXCEPTION 'staff % does not work here, so no role is given', NEW.staff_id USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO staff_roles (staff_id, role) VALUES (NEW.staff_id, NEW.role);
    RETURN NULL;
END $$;
CREATE TRIGGER emergency_grants_give AFTER INSERT ON emergency_grants FOR EACH ROW EXECUTE FUNCTION give_in_emergency();
CREATE FUNCTION settle_emergency() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
        -- What two administrators gave since, after it was taken, is theirs.
        DELETE FROM staff_roles WHERE staff_id = NEW.staff_id AND role = NEW.role AND NOT EXISTS (
            SELECT FROM role_grants g WHERE g.staff_id = NEW.staff_id AND g.status = 'DONE'
                AND g.settled_at > NEW.given_at AND g.roles ? NEW.role);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER emergency_grants_settle AFTER UPDATE OF settled_at ON emergency_grants FOR EACH ROW
    WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL) EXECUTE FUNCTION settle_emergency();
CREATE TRIGGER emergency_grants_written_once BEFORE UPDATE ON emergency_grants FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('settled_at', 'stands', 'reviewed_by', 'note');
CREATE CONSTRAINT TRIGGER emergency_grants_recorded AFTER INSERT OR UPDATE ON emergency_grants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('emergency_grant', 'id', '%:role:%');
REVOKE ALL ON FUNCTION give_in_emergency, settle_emergency FROM PUBLIC;
