-- A second person rejects with a reason; what its maker may no longer stand for, or what nobody confirmed in time, is
-- returned by the desk itself. A record that a refund left our bank is never returned: its debt would be paid twice.
ALTER TABLE chargeback_acceptances
    ADD COLUMN note text,
    DROP CONSTRAINT chargeback_acceptances_status,
    ADD CONSTRAINT chargeback_acceptances_status
        CHECK (status in ('PROPOSED', 'ACCEPTED', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    DROP CONSTRAINT chargeback_acceptances_settled_by_someone,
    ADD CONSTRAINT chargeback_acceptances_settled_by_someone
        CHECK ((status = 'PROPOSED') = (settled_at is null)
               and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    DROP CONSTRAINT chargeback_acceptances_two_people,
    ADD CONSTRAINT chargeback_acceptances_two_people
        CHECK (status not in ('ACCEPTED', 'REJECTED') or settled_by <> proposed_by);
ALTER TABLE refund_returns
    ADD COLUMN note text,
    DROP CONSTRAINT refund_returns_status,
    ADD CONSTRAINT refund_returns_status CHECK (status in ('PROPOSED', 'DONE', 'REJECTED', 'WITHDRAWN')),
    DROP CONSTRAINT refund_returns_two_people,
    ADD CONSTRAINT refund_returns_two_people
        CHECK (status not in ('DONE', 'REJECTED') or settled_by <> proposed_by);
ALTER TABLE policy_proposals
    DROP CONSTRAINT policy_proposals_status,
    ADD CONSTRAINT policy_proposals_status
        CHECK (status in ('PROPOSED', 'PUBLISHED', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    DROP CONSTRAINT policy_proposals_settled_by_someone,
    ADD CONSTRAINT policy_proposals_settled_by_someone
        CHECK ((status = 'PROPOSED') = (settled_at is null)
               and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null));
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('chargeback_acceptances', 'PROPOSED', 'REJECTED'),
    ('chargeback_acceptances', 'PROPOSED', 'RETURNED'),
    ('refund_returns', 'PROPOSED', 'REJECTED'),
    ('policy_proposals', 'PROPOSED', 'RETURNED');

-- A proposal stands on its maker: while it is confirmed they work here and have a role that may propose it. The first
-- argument is the column of the maker, the others are those roles.
CREATE FUNCTION stands_on_its_maker() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    maker bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM staff s JOIN staff_roles r ON r.staff_id = s.id
                   WHERE s.id = maker AND s.active AND r.role = ANY (TG_ARGV[1:])) THEN
        RAISE EXCEPTION 'staff %, who proposed row % of %, no longer may', maker, to_jsonb(NEW) ->> 'id', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION stands_on_its_maker FROM PUBLIC;
CREATE TRIGGER decisions_stand_on_their_maker BEFORE UPDATE OF checker_id, status ON decisions FOR EACH ROW
    WHEN (OLD.status = 'AWAITING_APPROVAL' AND NEW.status IN ('COOLING_OFF', 'EXECUTED'))
    EXECUTE FUNCTION stands_on_its_maker('maker_id', 'mediator', 'administrator');
CREATE TRIGGER policy_proposals_stand_on_their_maker BEFORE UPDATE OF status ON policy_proposals FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'PUBLISHED')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'administrator');
CREATE TRIGGER chargeback_acceptances_stand_on_their_maker BEFORE UPDATE OF status ON chargeback_acceptances
    FOR EACH ROW WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'ACCEPTED')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'finance', 'compliance');
CREATE TRIGGER refund_returns_stand_on_their_maker BEFORE UPDATE OF status ON refund_returns FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'finance', 'administrator');
CREATE TRIGGER suspense_items_stand_on_their_maker BEFORE UPDATE OF status ON suspense_items FOR EACH ROW
    WHEN (OLD.status = 'OPEN' AND NEW.status = 'SETTLED')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'finance');
CREATE TRIGGER chargeback_evidence_stands_on_its_maker BEFORE UPDATE OF submitted_by ON chargeback_evidence
    FOR EACH ROW WHEN (OLD.submitted_by IS NULL AND NEW.submitted_by IS NOT NULL)
    EXECUTE FUNCTION stands_on_its_maker('drafted_by', 'finance', 'compliance');
