-- A bank account in a further currency is held like one in the place of another: whoever takes over a payee may add it.
ALTER TABLE bank_changes
    ALTER COLUMN before_bank DROP NOT NULL,
    ALTER COLUMN before_last4 DROP NOT NULL,
    ADD CONSTRAINT bank_changes_before CHECK ((before_bank is null) = (before_last4 is null));

CREATE OR REPLACE FUNCTION bank_changes_are_kept() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    bank record;
BEGIN
    IF OLD.banks = '{}' THEN  -- the first that is known of a payee replaces nothing
        RETURN NEW;
    END IF;
    FOR bank IN
        SELECT key, OLD.banks -> key ->> 'id' AS before, NEW.banks -> key ->> 'id' AS after
        FROM jsonb_object_keys(OLD.banks || NEW.banks) AS key
    LOOP
        IF bank.after IS DISTINCT FROM bank.before AND NOT EXISTS (
            SELECT FROM bank_changes c
            WHERE c.party_id = NEW.party_id AND c.currency = bank.key
              AND c.before_bank IS NOT DISTINCT FROM bank.before AND c.after_bank = bank.after AND c.at = NEW.read_at
        ) THEN
            RAISE EXCEPTION 'the bank of party % in % is changed without its row', NEW.party_id, bank.key
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
