-- A late complaint is a kind of its own: it is the payer's, and both sides are told. Until now it was a report without
-- anybody who placed it.
ALTER TABLE holds DROP CONSTRAINT holds_kind;
ALTER TABLE holds ADD CONSTRAINT holds_kind
    CHECK (kind in ('MANUAL', 'RISK', 'REPORT', 'HIGH_VALUE', 'COMPLAINT'));
UPDATE holds SET kind = 'COMPLAINT' WHERE kind = 'REPORT' AND placed_by IS NULL;
ALTER TABLE holds ADD CONSTRAINT holds_complaint_is_a_partys CHECK (kind <> 'COMPLAINT' or placed_by is null);

-- Looking into risk or into a report warns nobody, so the marketplace hears nothing of it either.
CREATE FUNCTION hold_is_silent(p_kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_kind IN ('RISK', 'REPORT')
$$;

CREATE OR REPLACE FUNCTION announce_hold() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT hold_is_silent(NEW.kind) THEN
        PERFORM announce(CASE WHEN NEW.released_at IS NULL THEN 'hold.placed' ELSE 'hold.lifted' END, NEW.milestone_id,
            jsonb_build_object('hold', NEW.id, 'kind', NEW.kind, 'at', coalesce(NEW.released_at, NEW.placed_at)));
    END IF;
    RETURN NULL;
END
$$;

-- A review that ends in a hold has not ended for those outside: the hold that follows is a silent one.
CREATE OR REPLACE FUNCTION announce_manual_review() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.outcome IS DISTINCT FROM 'HELD' THEN
        PERFORM announce(
            CASE WHEN NEW.settled_at IS NULL THEN 'manual_review.opened' ELSE 'manual_review.settled' END,
            NEW.milestone_id, jsonb_build_object(
                'manual_review', NEW.id, 'outcome', NEW.outcome, 'at', coalesce(NEW.settled_at, NEW.opened_at)));
    END IF;
    RETURN NULL;
END
$$;
