-- A hold on a payee is told to the marketplace like one on a milestone, when it is placed, when its expected end is another
-- one, and when it is lifted; and so is another expected end of a hold on a milestone. Why is for staff.
CREATE FUNCTION announce_payee_hold() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT hold_is_silent(NEW.kind) THEN
        PERFORM announce_of_party(TG_ARGV[0], NEW.party_id, jsonb_build_object(
            'hold', NEW.id, 'kind', NEW.kind, 'expected_end', NEW.expected_end,
            'placed_at', NEW.placed_at, 'lifted_at', NEW.released_at));
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION announce_hold_extended() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT hold_is_silent(NEW.kind) THEN
        PERFORM announce('hold.extended', NEW.milestone_id, jsonb_build_object(
            'hold', NEW.id, 'kind', NEW.kind, 'expected_end', NEW.expected_end));
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION announce_payee_hold, announce_hold_extended FROM PUBLIC;
CREATE TRIGGER payee_holds_announce_placed AFTER INSERT ON payee_holds
    FOR EACH ROW EXECUTE FUNCTION announce_payee_hold('payee.hold_placed');
CREATE TRIGGER payee_holds_announce_extended AFTER UPDATE OF expected_end ON payee_holds
    FOR EACH ROW WHEN (NEW.expected_end IS DISTINCT FROM OLD.expected_end)
    EXECUTE FUNCTION announce_payee_hold('payee.hold_extended');
CREATE TRIGGER payee_holds_announce_lifted AFTER UPDATE OF released_at ON payee_holds
    FOR EACH ROW WHEN (OLD.released_at IS NULL AND NEW.released_at IS NOT NULL)
    EXECUTE FUNCTION announce_payee_hold('payee.hold_lifted');
CREATE TRIGGER holds_announce_extended AFTER UPDATE OF expected_end ON holds
    FOR EACH ROW WHEN (NEW.expected_end IS DISTINCT FROM OLD.expected_end)
    EXECUTE FUNCTION announce_hold_extended();
