-- As in 0123, and what stands for a person's word is narrower. Three kinds of entry in a colleague's name take no session of
-- theirs: what they do at a terminal, the end of an export of theirs, and that they joined. The last two were no word
-- about anything that takes two people. At a terminal one proposes; one confirms in a browser, except the reopening of a period.
CREATE OR REPLACE FUNCTION require_entry_of() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    who CONSTANT bigint := to_jsonb(NEW) ->> TG_ARGV[0];
    at_terminal CONSTANT boolean := TG_ARGV[0] NOT IN ('checker_id', 'settled_by', 'submitted_by')
        OR TG_TABLE_NAME = 'period_reopenings';
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
