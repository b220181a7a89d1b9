-- What 0123 asks of each of two people, of the rest that takes two: explanations of suspense, answers to banks, invitations
-- and the roles that they bring. And of what is put in as settled already: it names its second person as well.
CREATE FUNCTION require_entry_or_invitation() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT FROM audit_entries
        WHERE xid = pg_current_xact_id() AND actor_kind = 'staff' AND actor_id = NEW.proposed_by
    ) AND NOT EXISTS (                             -- whoever was invited by them with these roles joins
        SELECT FROM staff_invitations i
        WHERE i.staff_id = NEW.staff_id AND i.invited_by = NEW.proposed_by AND i.roles @> NEW.roles
          AND i.ended_at = NEW.proposed_at
    ) THEN
        RAISE EXCEPTION 'No entry of this transaction is of staff %, who is named in role_grants', NEW.proposed_by
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION require_entry_or_invitation FROM PUBLIC;
CREATE CONSTRAINT TRIGGER role_grants_made_in_own_name AFTER INSERT ON role_grants DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION require_entry_or_invitation();
DO $$
DECLARE
    named record;
BEGIN
    FOR named IN SELECT * FROM (VALUES
        ('chargeback_evidence', 'submitted_by'), ('suspense_items', 'proposed_by'), ('suspense_items', 'settled_by')
    ) t (relation, person)
    LOOP
        EXECUTE format(
            'CREATE CONSTRAINT TRIGGER %I AFTER UPDATE OF %I ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
            ' WHEN (OLD.%I IS DISTINCT FROM NEW.%I) EXECUTE FUNCTION require_entry_of(%L)',
            named.relation || '_changed_' || named.person || '_in_own_name', named.person, named.relation, named.person,
            named.person, named.person);
    END LOOP;
    FOR named IN SELECT * FROM (VALUES
        ('bank_change_proposals', 'settled_by'), ('chargeback_acceptances', 'settled_by'),
        ('chargeback_evidence', 'drafted_by'), ('chargeback_evidence', 'submitted_by'),
        ('debt_write_offs', 'settled_by'), ('decisions', 'checker_id'), ('emergency_grants', 'reviewed_by'),
        ('hold_lifts', 'settled_by'), ('manual_journals', 'settled_by'), ('period_reopenings', 'settled_by'),
        ('policy_proposals', 'settled_by'), ('refund_returns', 'settled_by'), ('staff_invitations', 'invited_by'),
        ('suspense_items', 'proposed_by'), ('suspense_items', 'settled_by')
    ) t (relation, person)
    LOOP
        EXECUTE format(
            'CREATE CONSTRAINT TRIGGER %I AFTER INSERT ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
            ' WHEN (NEW.%I IS NOT NULL) EXECUTE FUNCTION require_entry_of(%L)',
            named.relation || '_begun_' || named.person || '_in_own_name', named.relation, named.person, named.person);
    END LOOP;
END $$;
