-- Who gave a role in an emergency or reviewed it, who proposed to erase a person or approved it, says so in an entry of
-- their own: one that the system or an account of the machine is said to have left does not do for them.
CREATE FUNCTION require_own_entry() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    who CONSTANT bigint := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF who IS NOT NULL AND NOT EXISTS (
        SELECT FROM audit_entries
        WHERE object_kind = TG_ARGV[0] AND object_id = NEW.id::text AND xid = pg_current_xact_id()
          AND actor_kind = 'staff' AND actor_id = who
    ) THEN
        RAISE EXCEPTION 'No entry of staff % in this transaction tells of % %', who, TG_ARGV[0], NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER emergency_grants_given_in_own_name AFTER INSERT ON emergency_grants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_own_entry('emergency_grant', 'given_by');
CREATE CONSTRAINT TRIGGER emergency_grants_reviewed_in_own_name AFTER UPDATE OF settled_at ON emergency_grants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_own_entry('emergency_grant', 'reviewed_by');
CREATE CONSTRAINT TRIGGER erasures_proposed_in_own_name AFTER INSERT ON erasures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_own_entry('erasure', 'proposed_by');
CREATE CONSTRAINT TRIGGER erasures_settled_in_own_name AFTER UPDATE OF status ON erasures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_own_entry('erasure', 'settled_by');
REVOKE ALL ON FUNCTION require_own_entry FROM PUBLIC;
