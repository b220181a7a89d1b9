-- An offer to a payee can be withdrawn before staff send the payout themselves.
ALTER TABLE payout_offers DROP CONSTRAINT payout_offers_status;
ALTER TABLE payout_offers ADD CONSTRAINT payout_offers_status
    CHECK (status in ('OPEN', 'CHOSEN', 'OVERTAKEN', 'WITHDRAWN'));
INSERT INTO status_moves (relation, from_status, to_status) VALUES ('payout_offers', 'OPEN', 'WITHDRAWN');

-- What one person said of an amount in suspense stands until it is agreed to or taken away; nobody else's word, nor a
-- later one of the same person, takes its place.
CREATE FUNCTION one_explanation() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    RAISE EXCEPTION 'Amount % in suspense is said to be % already', OLD.id, OLD.proposed_as
        USING ERRCODE = 'check_violation';
END $$;
REVOKE ALL ON FUNCTION one_explanation FROM PUBLIC;
CREATE TRIGGER suspense_items_one_explanation BEFORE UPDATE ON suspense_items FOR EACH ROW
    WHEN (OLD.proposed_as is not null AND NEW.proposed_as is not null
          AND (OLD.proposed_as, OLD.proposed_by, OLD.proposed_at, OLD.proposed_reason, OLD.target_id)
              IS DISTINCT FROM (NEW.proposed_as, NEW.proposed_by, NEW.proposed_at, NEW.proposed_reason, NEW.target_id))
    EXECUTE FUNCTION one_explanation();
