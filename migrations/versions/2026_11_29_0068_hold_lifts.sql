-- A hold that stops more than the policy's threshold is lifted by two people: one proposes it, and another approves.
CREATE TABLE hold_lifts (
    id BIGSERIAL NOT NULL,
    hold_id BIGINT,
    payee_hold_id BIGINT,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR DEFAULT 'PROPOSED' NOT NULL,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    CONSTRAINT hold_lifts_pkey PRIMARY KEY (id),
    CONSTRAINT hold_lifts_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES holds (id),
    CONSTRAINT hold_lifts_payee_hold_id_fkey FOREIGN KEY (payee_hold_id) REFERENCES payee_holds (id),
    CONSTRAINT hold_lifts_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT hold_lifts_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT hold_lifts_of_one_hold CHECK ((hold_id is null) <> (payee_hold_id is null)),
    CONSTRAINT hold_lifts_status CHECK (status in ('PROPOSED', 'DONE', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    CONSTRAINT hold_lifts_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null)
        and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    CONSTRAINT hold_lifts_two_people CHECK (status not in ('DONE', 'REJECTED') or settled_by <> proposed_by)
);
CREATE UNIQUE INDEX hold_lifts_one_open_idx ON hold_lifts (coalesce(hold_id, payee_hold_id))
    WHERE status = 'PROPOSED';
CREATE INDEX hold_lifts_hold_idx ON hold_lifts (coalesce(hold_id, payee_hold_id));
GRANT SELECT, INSERT ON hold_lifts TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON hold_lifts TO app;
GRANT SELECT ON hold_lifts TO auditor;
GRANT USAGE ON SEQUENCE hold_lifts_id_seq TO app;
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('hold_lifts', 'PROPOSED', 'DONE'),
    ('hold_lifts', 'PROPOSED', 'REJECTED'),
    ('hold_lifts', 'PROPOSED', 'WITHDRAWN'),
    ('hold_lifts', 'PROPOSED', 'RETURNED');
CREATE TRIGGER hold_lifts_legal_move BEFORE UPDATE OF status ON hold_lifts FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER hold_lifts_recorded AFTER UPDATE OF status ON hold_lifts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('hold_lift', 'status', 'id');
CREATE TRIGGER hold_lifts_stand_on_their_maker BEFORE UPDATE OF status ON hold_lifts FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'compliance', 'administrator');

-- The law beside the action: what a member of staff lifts above the threshold has an approval of this very moment by them.
-- The amounts that a hold stops, with the limit of the milestone's own policy, or of the payee's marketplace as it is now.
-- A complaint of the payer's that became a case is no lifting: the case stops the money.
CREATE FUNCTION hold_lift_takes_two(p_milestone bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
    SELECT stoppable_minor(m.id) > (v.snapshot -> 'second_person_above' ->> m.currency)::bigint
    FROM milestones m JOIN projects p ON p.id = m.project_id JOIN policy_versions v ON v.id = p.policy_version_id
    WHERE m.id = p_milestone
$$;
CREATE FUNCTION payee_hold_lift_takes_two(p_party bigint, p_at timestamptz) RETURNS boolean LANGUAGE sql STABLE
    SECURITY INVOKER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (
        SELECT FROM projects p JOIN milestones m ON m.project_id = p.id
        WHERE p.payee_id = p_party
        GROUP BY m.currency
        HAVING sum(stoppable_minor(m.id)) > (
            SELECT (v.snapshot -> 'second_person_above' ->> m.currency)::bigint
            FROM policy_versions v JOIN parties y ON y.platform = v.profile
            WHERE y.id = p_party AND v.effective_at <= p_at ORDER BY v.version DESC LIMIT 1))
$$;
CREATE FUNCTION hold_is_lifted_by_two() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    two boolean;
BEGIN
    IF TG_TABLE_NAME = 'payee_holds' THEN
        two := payee_hold_lift_takes_two((to_jsonb(NEW) ->> 'party_id')::bigint, NEW.released_at);
    ELSE
        two := hold_lift_takes_two((to_jsonb(NEW) ->> 'milestone_id')::bigint) AND NOT (
            NEW.kind = 'COMPLAINT' AND EXISTS (
                SELECT FROM cases t WHERE t.milestone_id = (to_jsonb(NEW) ->> 'milestone_id')::bigint
                AND t.status IN ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')));
    END IF;
    IF two AND NOT EXISTS (
        SELECT FROM hold_lifts l WHERE coalesce(l.hold_id, l.payee_hold_id) = NEW.id AND l.status = 'DONE'
            AND l.settled_by = NEW.released_by AND l.settled_at = NEW.released_at) THEN
        RAISE EXCEPTION 'hold % stops more than the threshold: it takes two people to lift it', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION hold_lift_takes_two, payee_hold_lift_takes_two, hold_is_lifted_by_two FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_lift_takes_two, payee_hold_lift_takes_two TO app;
CREATE TRIGGER holds_lifted_by_two BEFORE UPDATE OF released_at ON holds FOR EACH ROW
    WHEN (OLD.released_at IS NULL AND NEW.released_by IS NOT NULL) EXECUTE FUNCTION hold_is_lifted_by_two();
CREATE TRIGGER payee_holds_lifted_by_two BEFORE UPDATE OF released_at ON payee_holds FOR EACH ROW
    WHEN (OLD.released_at IS NULL AND NEW.released_by IS NOT NULL) EXECUTE FUNCTION hold_is_lifted_by_two();
