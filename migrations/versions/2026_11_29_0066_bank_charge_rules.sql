-- Charges that our bank takes again and again: a rule recognises the line and proposes what it was; it books nothing.
CREATE TABLE bank_charge_rules (
    id BIGSERIAL NOT NULL,
    account_id BIGINT NOT NULL,
    words VARCHAR NOT NULL,
    most_minor BIGINT NOT NULL,                      -- of the account's currency
    made_by BIGINT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_by BIGINT,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT bank_charge_rules_pkey PRIMARY KEY (id),
    CONSTRAINT bank_charge_rules_account_id_fkey FOREIGN KEY (account_id) REFERENCES bank_accounts (id),
    CONSTRAINT bank_charge_rules_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff (id),
    CONSTRAINT bank_charge_rules_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES staff (id),
    CONSTRAINT bank_charge_rules_recognises CHECK (length(btrim(words)) between 3 and 80 and most_minor > 0),
    CONSTRAINT bank_charge_rules_ended_by_someone CHECK ((ended_by is null) = (ended_at is null))
);
-- What a rule says is never changed: it is ended, and another is saved.
CREATE TRIGGER bank_charge_rules_keep_words BEFORE UPDATE ON bank_charge_rules FOR EACH ROW WHEN (
    (OLD.id, OLD.account_id, OLD.words, OLD.most_minor, OLD.made_by, OLD.made_at)
    IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.words, NEW.most_minor, NEW.made_by, NEW.made_at)
    OR OLD.ended_at IS NOT NULL
) EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER bank_charge_rules_stay BEFORE DELETE OR TRUNCATE ON bank_charge_rules
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
GRANT SELECT, INSERT ON bank_charge_rules TO app;
GRANT UPDATE (ended_by, ended_at) ON bank_charge_rules TO app;
GRANT SELECT ON bank_charge_rules TO auditor;
GRANT USAGE ON SEQUENCE bank_charge_rules_id_seq TO app;
