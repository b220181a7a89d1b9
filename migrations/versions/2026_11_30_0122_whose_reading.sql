-- A reading names a session of whoever read, which stands, and the roles that they hold: neither is what the writer says.
ALTER TABLE readings DROP CONSTRAINT readings_kind;
ALTER TABLE readings ADD CONSTRAINT readings_kind
    CHECK (kind in ('CASE', 'MESSAGES', 'EVIDENCE', 'EMAIL', 'PROJECT', 'CHARGEBACK', 'PARTY', 'REVEALED_NAME'));
CREATE FUNCTION reading_is_theirs() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.session_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM staff_sessions s
        WHERE s.id = NEW.session_id AND s.staff_id = NEW.staff_id AND s.revoked_at IS NULL
    ) THEN
        RAISE EXCEPTION 'Session % is not one of colleague % that stands', NEW.session_id, NEW.staff_id
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.roles := coalesce(
        (SELECT string_agg(r.role, ',' ORDER BY r.role) FROM staff_roles r WHERE r.staff_id = NEW.staff_id), '');
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION reading_is_theirs FROM PUBLIC;
CREATE TRIGGER readings_are_theirs BEFORE INSERT ON readings FOR EACH ROW EXECUTE FUNCTION reading_is_theirs();

-- Nobody is sent away without an entry either.
DROP TRIGGER staff_recorded ON staff;
CREATE CONSTRAINT TRIGGER staff_recorded AFTER UPDATE OF active ON staff DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.active IS DISTINCT FROM NEW.active) EXECUTE FUNCTION require_entry('staff', 'id', '%');
