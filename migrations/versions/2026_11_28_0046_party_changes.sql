-- The language that a party is written to in. The letters exist in one.
ALTER TABLE parties
    ADD COLUMN language VARCHAR NOT NULL DEFAULT 'en',
    ADD CONSTRAINT parties_language CHECK (language in ('en')),
    ADD COLUMN changed_at TIMESTAMP WITH TIME ZONE;

-- What stood there before. The database writes it with the change itself, so no code path can forget to.
CREATE TABLE party_changes (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    field VARCHAR NOT NULL,
    before VARCHAR NOT NULL,
    after VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT party_changes_pkey PRIMARY KEY (id),
    CONSTRAINT party_changes_field
        CHECK (field in ('name', 'email', 'city', 'country', 'language', 'payment_method')),
    CONSTRAINT party_changes_another CHECK (before <> after),
    CONSTRAINT party_changes_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id)
);
CREATE INDEX party_changes_party_id_idx ON party_changes (party_id);
GRANT SELECT ON party_changes TO app, auditor;
CREATE TRIGGER party_changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON party_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE FUNCTION keep_what_was() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed text;
    old_values jsonb := to_jsonb(OLD);
    new_values jsonb := to_jsonb(NEW);
BEGIN
    FOREACH changed IN ARRAY ARRAY['name', 'email', 'city', 'country', 'language', 'payment_method'] LOOP
        -- A payment method that is given for the first time replaces nothing.
        IF old_values ->> changed IS NOT NULL AND old_values ->> changed IS DISTINCT FROM new_values ->> changed THEN
            INSERT INTO party_changes (party_id, field, before, after, at)
            VALUES (NEW.id, changed, old_values ->> changed, coalesce(new_values ->> changed, ''),
                    coalesce(NEW.changed_at, clock_timestamp()));
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION keep_what_was FROM PUBLIC;
CREATE TRIGGER parties_keep_what_was AFTER UPDATE ON parties FOR EACH ROW EXECUTE FUNCTION keep_what_was();

-- That something changed is told, and not to what: the marketplace knows its people.
CREATE FUNCTION announce_party_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_party('party.changed', NEW.party_id, jsonb_build_object('field', NEW.field, 'at', NEW.at));
    RETURN NULL;
END
$$;
CREATE TRIGGER party_changes_announce AFTER INSERT ON party_changes
    FOR EACH ROW EXECUTE FUNCTION announce_party_change();

-- Another bank account in the place of a payee's: payouts to it wait until `held_until`, and no earlier.
CREATE TABLE bank_changes (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    before_bank VARCHAR NOT NULL,
    before_last4 VARCHAR NOT NULL,
    after_bank VARCHAR NOT NULL,
    after_last4 VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    held_until TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT bank_changes_pkey PRIMARY KEY (id),
    CONSTRAINT bank_changes_another CHECK (before_bank <> after_bank),
    CONSTRAINT bank_changes_held CHECK (held_until >= at),
    CONSTRAINT bank_changes_not_earlier CHECK (ended_at >= held_until),
    CONSTRAINT bank_changes_party_id_fkey FOREIGN KEY (party_id) REFERENCES payee_accounts (party_id)
);
CREATE INDEX bank_changes_party_id_idx ON bank_changes (party_id);
CREATE INDEX bank_changes_due_idx ON bank_changes (held_until) WHERE ended_at IS NULL;
GRANT SELECT, INSERT ON bank_changes TO app;
GRANT UPDATE (ended_at) ON bank_changes TO app;
GRANT USAGE ON SEQUENCE bank_changes_id_seq TO app;
GRANT SELECT ON bank_changes TO auditor;
CREATE TRIGGER bank_changes_end_once BEFORE UPDATE OF ended_at ON bank_changes FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION refuse_rewrite();

-- No other bank without its change, which holds what would be paid there.
CREATE FUNCTION bank_changes_are_kept() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    bank record;
BEGIN
    FOR bank IN SELECT key, value ->> 'id' AS id FROM jsonb_each(OLD.banks) LOOP
        IF NEW.banks -> bank.key ->> 'id' IS DISTINCT FROM bank.id AND NOT EXISTS (
            SELECT FROM bank_changes c
            WHERE c.party_id = NEW.party_id AND c.currency = bank.key AND c.before_bank = bank.id
              AND c.after_bank = NEW.banks -> bank.key ->> 'id' AND c.at = NEW.read_at
        ) THEN
            RAISE EXCEPTION 'the bank of party % in % is changed without its row', NEW.party_id, bank.key
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION bank_changes_are_kept FROM PUBLIC;
CREATE TRIGGER payee_accounts_bank_changes_are_kept BEFORE UPDATE OF banks ON payee_accounts
    FOR EACH ROW EXECUTE FUNCTION bank_changes_are_kept();

CREATE FUNCTION announce_bank_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_party('payee.bank_changed', NEW.party_id, jsonb_build_object(
        'currency', NEW.currency, 'last4', NEW.after_last4, 'held_until', NEW.held_until, 'at', NEW.at));
    RETURN NULL;
END
$$;
CREATE TRIGGER bank_changes_announce AFTER INSERT ON bank_changes
    FOR EACH ROW EXECUTE FUNCTION announce_bank_change();

-- A letter about the party itself needs no project, and one about a change goes to an address of before as well.
ALTER TABLE notifications
    ADD COLUMN address VARCHAR,
    ADD CONSTRAINT notifications_address_of_a_party CHECK (address is null or party_id is not null),
    DROP CONSTRAINT notifications_party_has_project,
    ADD CONSTRAINT notifications_party_has_project
        CHECK (party_id is null or project_id is not null or about_kind = 'party');
