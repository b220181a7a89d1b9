-- Whoever confirms what takes two people, and whoever gives a role in an emergency, does so with a session of theirs: no
-- entry in their name that takes none stands for it. The command line confirms with the owner's login, of which nothing is
-- asked: it could take these triggers away.
CREATE OR REPLACE FUNCTION require_entry_of() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    who CONSTANT bigint := to_jsonb(NEW) ->> TG_ARGV[0];
    at_terminal CONSTANT boolean := TG_ARGV[0] NOT IN ('checker_id', 'settled_by', 'submitted_by', 'reviewed_by');
BEGIN
    IF pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF who IS NOT NULL AND NOT EXISTS (
        SELECT FROM audit_entries
        WHERE xid = pg_current_xact_id() AND actor_kind = 'staff' AND actor_id = who
          AND action NOT LIKE '%:export:finish' AND action <> 'staff:staff:join'
          AND (at_terminal OR NOT coalesce(after, '{}') ? 'via')
    ) THEN
        RAISE EXCEPTION 'No entry of this transaction is of staff %, who is named in %', who, TG_RELID::regclass
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- The same of erasures and of roles given in an emergency, of which an entry about that row is asked for. An erasure is
-- proposed at a terminal as well.
CREATE OR REPLACE FUNCTION require_own_entry() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    who CONSTANT bigint := to_jsonb(NEW) ->> TG_ARGV[1];
    at_terminal CONSTANT boolean := TG_ARGV[1] = 'proposed_by';
BEGIN
    IF pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF who IS NOT NULL AND NOT EXISTS (
        SELECT FROM audit_entries
        WHERE object_kind = TG_ARGV[0] AND object_id = NEW.id::text AND xid = pg_current_xact_id()
          AND actor_kind = 'staff' AND actor_id = who
          AND action NOT LIKE '%:export:finish' AND action <> 'staff:staff:join'
          AND (at_terminal OR NOT coalesce(after, '{}') ? 'via')
    ) THEN
        RAISE EXCEPTION 'No entry of staff % in this transaction tells of % %', who, TG_ARGV[0], NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
