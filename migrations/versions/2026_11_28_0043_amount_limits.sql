-- What Stripe charges at least and at most in each currency: an order beyond it could never be paid.
ALTER TABLE currencies ADD COLUMN smallest_charge BIGINT;
ALTER TABLE currencies ADD COLUMN largest_charge BIGINT;
UPDATE currencies SET smallest_charge = CASE code WHEN 'GBP' THEN 30 WHEN 'KWD' THEN 160 ELSE 50 END,
    largest_charge = CASE code WHEN 'KWD' THEN 99999990 ELSE 99999999 END;
ALTER TABLE currencies ALTER COLUMN smallest_charge SET NOT NULL;
ALTER TABLE currencies ALTER COLUMN largest_charge SET NOT NULL;
ALTER TABLE currencies ADD CONSTRAINT currencies_charges CHECK (0 < smallest_charge AND smallest_charge < largest_charge);

-- Looked at when a price is written, and not when something else of the order changes: older orders stay as they are.
CREATE FUNCTION charge_is_possible() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    v_limits currencies;
BEGIN
    SELECT * INTO v_limits FROM currencies WHERE code = NEW.currency;
    IF v_limits.code IS NULL OR NEW.charge_minor NOT BETWEEN v_limits.smallest_charge AND v_limits.largest_charge THEN
        RAISE EXCEPTION '% % cannot be charged at Stripe', NEW.charge_minor, NEW.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_orders_charge_is_possible';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION charge_is_possible() FROM PUBLIC;
CREATE TRIGGER charge_is_possible BEFORE INSERT OR UPDATE OF charge_minor, currency ON payment_orders
    FOR EACH ROW EXECUTE FUNCTION charge_is_possible();
