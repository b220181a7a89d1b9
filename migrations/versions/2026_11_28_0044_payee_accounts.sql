-- A payee's account at the provider, as it was when it was read last. Whether a payee can be paid follows from it.
CREATE TABLE payee_accounts (
    party_id BIGINT NOT NULL,
    account VARCHAR NOT NULL,
    transfers VARCHAR NOT NULL,
    payouts_enabled BOOLEAN NOT NULL,
    can_be_paid BOOLEAN NOT NULL GENERATED ALWAYS AS (transfers = 'active' AND payouts_enabled) STORED,
    details_submitted BOOLEAN NOT NULL,
    currently_due JSONB NOT NULL,
    past_due JSONB NOT NULL,
    pending_verification JSONB NOT NULL,
    disabled_reason VARCHAR,
    due_at TIMESTAMP WITH TIME ZONE,
    banks JSONB NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT payee_accounts_pkey PRIMARY KEY (party_id),
    CONSTRAINT payee_accounts_account_key UNIQUE (account),
    CONSTRAINT payee_accounts_transfers CHECK (transfers in ('active', 'pending', 'inactive', 'unrequested')),
    CONSTRAINT payee_accounts_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id)
);
-- What Stripe tells of an account is looked up by the account.
CREATE INDEX parties_stripe_account_idx ON parties (stripe_account);
GRANT SELECT, INSERT, UPDATE ON payee_accounts TO app;
GRANT SELECT ON payee_accounts TO auditor;

-- It is the account of a payee, and the one that their money is sent to.
CREATE FUNCTION is_the_payees_account() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM parties p
                   WHERE p.id = NEW.party_id AND p.role = 'PAYEE' AND p.stripe_account = NEW.account) THEN
        RAISE EXCEPTION 'account % is not the one that party % is paid to', NEW.account, NEW.party_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION is_the_payees_account FROM PUBLIC;
CREATE TRIGGER payee_accounts_are_the_payees BEFORE INSERT OR UPDATE OF party_id, account ON payee_accounts
    FOR EACH ROW EXECUTE FUNCTION is_the_payees_account();

-- As `announce`, for what concerns a party and no project.
CREATE FUNCTION announce_of_party(p_kind text, p_party_id bigint, p_data jsonb) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO outgoing_events (endpoint_id, kind, milestone_id, data)
    SELECT endpoint.id, p_kind, NULL, jsonb_build_object('party', party.external_id) || p_data
    FROM parties AS party
    JOIN webhook_endpoints AS endpoint ON endpoint.platform = party.platform AND endpoint.removed_at IS NULL
    WHERE party.id = p_party_id
    ORDER BY endpoint.id
$$;
REVOKE ALL ON FUNCTION announce_of_party FROM PUBLIC;

CREATE FUNCTION announce_payee_account() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told jsonb := jsonb_build_object(
        'currently_due', NEW.currently_due, 'past_due', NEW.past_due, 'due_at', NEW.due_at,
        'disabled_reason', NEW.disabled_reason, 'at', NEW.read_at);
BEGIN
    IF (NEW.currently_due <> '[]' OR NEW.past_due <> '[]') AND (
        TG_OP = 'INSERT' OR OLD.currently_due <> NEW.currently_due OR OLD.past_due <> NEW.past_due
        OR OLD.due_at IS DISTINCT FROM NEW.due_at
    ) THEN
        PERFORM announce_of_party('payee.requirements_due', NEW.party_id, told);
    END IF;
    IF NEW.can_be_paid AND (TG_OP = 'INSERT' OR NOT OLD.can_be_paid) THEN
        PERFORM announce_of_party('payee.payouts_enabled', NEW.party_id, told);
    ELSIF TG_OP = 'UPDATE' AND OLD.can_be_paid AND NOT NEW.can_be_paid THEN
        PERFORM announce_of_party('payee.payouts_disabled', NEW.party_id, told);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER payee_accounts_announce AFTER INSERT OR UPDATE ON payee_accounts
    FOR EACH ROW EXECUTE FUNCTION announce_payee_account();
