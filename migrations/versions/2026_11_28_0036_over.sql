-- What a hold of this milestone can keep from moving on to the payee, in minor units: all that is held or payable, and
-- what has reached the payee's account at the provider and waits there to be paid out. A refund is not stopped.
CREATE FUNCTION stoppable_minor(p_milestone bigint) RETURNS bigint LANGUAGE sql STABLE SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
    SELECT coalesce((SELECT held_minor + payable_minor FROM payment_orders WHERE milestone_id = p_milestone), 0)
         + coalesce((SELECT sum(amount_minor - fee_minor)::bigint FROM payouts
                     WHERE milestone_id = p_milestone AND stripe_transfer IS NOT NULL
                       AND status IN ('TRANSFERRED', 'FAILED', 'ADMINISTRATIVE_REVIEW')), 0)
$$;
REVOKE ALL ON FUNCTION stoppable_minor(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stoppable_minor(bigint) TO app, auditor;

-- The law beside the action: where a milestone is over and none of its money can be stopped, there is nothing to hold.
-- Money that left past the desk also stops a refund that it still owes.
CREATE FUNCTION hold_stops_something() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF (SELECT status IN ('COMPLETED', 'REFUNDED', 'CANCELED') FROM milestones WHERE id = NEW.milestone_id)
       AND stoppable_minor(NEW.milestone_id) = 0 THEN
        RAISE EXCEPTION 'milestone % is over: a hold would stop nothing', NEW.milestone_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER holds_stop_something BEFORE INSERT ON holds
    FOR EACH ROW WHEN (NEW.stripe_object IS NULL) EXECUTE FUNCTION hold_stops_something();

-- Whoever stepped back from a case leaves no decision that waits: not made by them, and not approved by them. Looked at
-- when the transaction ends, in which the action first keeps the reason and then voids the decision.
CREATE FUNCTION recusal_leaves_no_decision() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM decisions d
               WHERE d.ticket_id = NEW.ticket_id AND NEW.staff_id IN (d.maker_id, d.checker_id)
                 AND d.status IN ('AWAITING_APPROVAL', 'COOLING_OFF')) THEN
        RAISE EXCEPTION 'staff % stepped back from case %, and a decision of theirs still waits',
            NEW.staff_id, NEW.ticket_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER recusals_leave_no_decision AFTER INSERT ON recusals DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION recusal_leaves_no_decision();
