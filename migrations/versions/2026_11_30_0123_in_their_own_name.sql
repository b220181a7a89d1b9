-- Of everything that takes two people, each of the two says so in an entry of their own in that transaction, also where
-- it is about something that their act belongs to: none that the system is said to have left does it for them.
CREATE FUNCTION require_entry_of() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    who CONSTANT bigint := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF who IS NOT NULL AND NOT EXISTS (
        SELECT FROM audit_entries WHERE xid = pg_current_xact_id() AND actor_kind = 'staff' AND actor_id = who
    ) THEN
        RAISE EXCEPTION 'No entry of this transaction is of staff %, who is named in %', who, TG_RELID::regclass
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION require_entry_of FROM PUBLIC;
DO $$
DECLARE
    two record;
BEGIN
    FOR two IN SELECT * FROM (VALUES
        ('bank_change_proposals', 'proposed_by', 'settled_by'),
        ('chargeback_acceptances', 'proposed_by', 'settled_by'),
        ('debt_write_offs', 'proposed_by', 'settled_by'),
        ('decisions', 'maker_id', 'checker_id'),
        ('hold_lifts', 'proposed_by', 'settled_by'),
        ('manual_journals', 'proposed_by', 'settled_by'),
        ('period_reopenings', 'proposed_by', 'settled_by'),
        ('policy_proposals', 'proposed_by', 'settled_by'),
        ('refund_returns', 'proposed_by', 'settled_by'),
        ('role_grants', NULL, 'settled_by')  -- an invitation's is made when the invited colleague joins
    ) t (relation, maker, checker)
    LOOP
        IF two.maker IS NOT NULL THEN
            EXECUTE format(
                'CREATE CONSTRAINT TRIGGER %I AFTER INSERT ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
                ' EXECUTE FUNCTION require_entry_of(%L)', two.relation || '_made_in_own_name', two.relation, two.maker);
        END IF;
        EXECUTE format(
            'CREATE CONSTRAINT TRIGGER %I AFTER UPDATE OF %I ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
            ' WHEN (OLD.%I IS DISTINCT FROM NEW.%I) EXECUTE FUNCTION require_entry_of(%L)',
            two.relation || '_settled_in_own_name', two.checker, two.relation, two.checker, two.checker, two.checker);
    END LOOP;
END $$;
