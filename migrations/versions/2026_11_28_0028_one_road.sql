-- One debt has one road at a time. Asked at the commit and under the lock of the debt, so that of two transactions that
-- take a road each, the second waits for the first and sees it. Only steps taken from now on are refused: what was
-- recorded before stays, is shown, and can be withdrawn.
CREATE FUNCTION one_road() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    -- Which debt this row is about.
    debt bigint;
    now_is text;
BEGIN
    IF TG_TABLE_NAME IN ('refunds', 'refund_returns') THEN
        debt := CASE TG_TABLE_NAME WHEN 'refunds' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                   ELSE (to_jsonb(NEW) ->> 'refund_id')::bigint END;
        SELECT status INTO now_is FROM refunds WHERE id = debt FOR NO KEY UPDATE;
        IF now_is NOT IN ('FAILED', 'CANCELED')
           AND EXISTS (SELECT FROM refund_returns WHERE refund_id = debt AND status = 'PROPOSED') THEN
            RAISE EXCEPTION 'Refund % is % and recorded as sent from our bank', debt, now_is
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END IF;
    debt := CASE TG_TABLE_NAME WHEN 'payouts' THEN (to_jsonb(NEW) ->> 'id')::bigint
                               ELSE (to_jsonb(NEW) ->> 'payout_id')::bigint END;
    SELECT status INTO now_is FROM payouts WHERE id = debt FOR NO KEY UPDATE;
    IF now_is <> 'ADMINISTRATIVE_REVIEW'
       AND EXISTS (SELECT FROM payout_offers WHERE payout_id = debt AND status = 'OPEN') THEN
        RAISE EXCEPTION 'Payout % is % and its payee may still choose another method', debt, now_is
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION one_road FROM PUBLIC;

CREATE CONSTRAINT TRIGGER refunds_one_road AFTER UPDATE OF status ON refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IN ('FAILED', 'CANCELED') AND NEW.status NOT IN ('FAILED', 'CANCELED'))
    EXECUTE FUNCTION one_road();
CREATE CONSTRAINT TRIGGER refund_returns_one_road AFTER INSERT OR UPDATE OF status ON refund_returns
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'PROPOSED') EXECUTE FUNCTION one_road();
CREATE CONSTRAINT TRIGGER payouts_one_road AFTER UPDATE OF status ON payouts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status = 'ADMINISTRATIVE_REVIEW' AND NEW.status <> 'ADMINISTRATIVE_REVIEW')
    EXECUTE FUNCTION one_road();
CREATE CONSTRAINT TRIGGER payout_offers_one_road AFTER INSERT OR UPDATE OF status ON payout_offers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'OPEN') EXECUTE FUNCTION one_road();
