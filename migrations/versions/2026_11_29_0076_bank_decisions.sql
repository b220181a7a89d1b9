-- One person proposes what happens to a payee's new bank account, and another carries it out.
CREATE TABLE bank_change_proposals (
    id BIGSERIAL NOT NULL,
    bank_change_id BIGINT NOT NULL,
    decision VARCHAR NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR DEFAULT 'PROPOSED' NOT NULL,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    CONSTRAINT bank_change_proposals_pkey PRIMARY KEY (id),
    CONSTRAINT bank_change_proposals_bank_change_id_fkey FOREIGN KEY (bank_change_id) REFERENCES bank_changes (id),
    CONSTRAINT bank_change_proposals_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT bank_change_proposals_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT bank_change_proposals_decision CHECK (decision in ('ACCEPT', 'EXTEND', 'REFUSE')),
    CONSTRAINT bank_change_proposals_until CHECK ((decision = 'EXTEND') = (until is not null)),
    CONSTRAINT bank_change_proposals_status
        CHECK (status in ('PROPOSED', 'DONE', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    CONSTRAINT bank_change_proposals_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null)
        and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    CONSTRAINT bank_change_proposals_two_people
        CHECK (status not in ('DONE', 'REJECTED') or settled_by <> proposed_by)
);
CREATE UNIQUE INDEX bank_change_proposals_one_open_idx ON bank_change_proposals (bank_change_id)
    WHERE status = 'PROPOSED';
CREATE INDEX bank_change_proposals_change_idx ON bank_change_proposals (bank_change_id);
GRANT SELECT, INSERT ON bank_change_proposals TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON bank_change_proposals TO app;
GRANT SELECT ON bank_change_proposals TO auditor;
GRANT USAGE ON SEQUENCE bank_change_proposals_id_seq TO app;
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('bank_change_proposals', 'PROPOSED', 'DONE'),
    ('bank_change_proposals', 'PROPOSED', 'REJECTED'),
    ('bank_change_proposals', 'PROPOSED', 'WITHDRAWN'),
    ('bank_change_proposals', 'PROPOSED', 'RETURNED');
CREATE TRIGGER bank_change_proposals_legal_move BEFORE UPDATE OF status ON bank_change_proposals FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER bank_change_proposals_recorded AFTER UPDATE OF status ON bank_change_proposals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('bank_change_proposal', 'status', 'id');
CREATE TRIGGER bank_change_proposals_stand_on_their_maker BEFORE UPDATE OF status ON bank_change_proposals
    FOR EACH ROW WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'finance', 'compliance');

-- A wait ends before its time, grows or becomes a refusal only with the proposal that two people agreed to.
ALTER TABLE bank_changes
    ADD COLUMN refused_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT bank_changes_refused_is_over CHECK (refused_at is null or ended_at is not null),
    DROP CONSTRAINT bank_changes_not_earlier;
GRANT UPDATE (held_until, refused_at) ON bank_changes TO app;
CREATE FUNCTION bank_change_is_decided() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    wanted text;
BEGIN
    IF NEW.held_until < OLD.held_until THEN
        RAISE EXCEPTION 'the wait of bank change % only grows', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    wanted := CASE
        WHEN NEW.held_until <> OLD.held_until THEN 'EXTEND'
        WHEN NEW.refused_at IS NOT NULL AND NEW.refused_at IS DISTINCT FROM OLD.refused_at THEN 'REFUSE'
        WHEN NEW.refused_at IS NULL AND OLD.refused_at IS NOT NULL THEN 'ACCEPT'
        WHEN NEW.ended_at IS DISTINCT FROM OLD.ended_at AND NEW.ended_at < NEW.held_until THEN 'ACCEPT'
    END;
    IF wanted IS NOT NULL AND NOT EXISTS (
        SELECT FROM bank_change_proposals p
        WHERE p.bank_change_id = NEW.id AND p.status = 'DONE' AND p.decision = wanted
          AND (wanted <> 'EXTEND' OR p.until = NEW.held_until)
          AND (wanted = 'EXTEND' OR p.settled_at = coalesce(NEW.refused_at, NEW.ended_at)
               OR wanted = 'ACCEPT' AND p.settled_at > OLD.refused_at)
    ) THEN
        RAISE EXCEPTION 'bank change % was not decided so by two people', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION bank_change_is_decided FROM PUBLIC;
CREATE TRIGGER bank_changes_are_decided BEFORE UPDATE ON bank_changes
    FOR EACH ROW EXECUTE FUNCTION bank_change_is_decided();

CREATE FUNCTION announce_bank_decision() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    change bank_changes;
BEGIN
    SELECT * INTO change FROM bank_changes c WHERE c.id = NEW.bank_change_id;
    PERFORM announce_of_party('payee.bank_decided', change.party_id, jsonb_build_object(
        'currency', change.currency, 'last4', change.after_last4, 'decision', NEW.decision,
        'held_until', NEW.until, 'at', NEW.settled_at));
    RETURN NULL;
END
$$;
CREATE TRIGGER bank_change_proposals_announce AFTER UPDATE OF status ON bank_change_proposals FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE') EXECUTE FUNCTION announce_bank_decision();
