-- What of our bank's statements belongs to what of the ledger's bank account. A line and a posting are matched whole, and
-- once; the lines of a match and its postings sum to the same.
CREATE TABLE bank_matches (
    id BIGSERIAL NOT NULL,
    account_id BIGINT NOT NULL,
    rule VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    run_id BIGINT,
    made_by BIGINT,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bank_matches_pkey PRIMARY KEY (id),
    CONSTRAINT bank_matches_account_id_fkey FOREIGN KEY (account_id) REFERENCES bank_accounts (id),
    CONSTRAINT bank_matches_run_id_fkey FOREIGN KEY (run_id) REFERENCES reconciliation_runs (id),
    CONSTRAINT bank_matches_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff (id),
    CONSTRAINT bank_matches_rule CHECK (rule in ('PROVIDER_ID', 'AMOUNT_AND_DATE', 'SUM', 'BOOKED', 'HAND')),
    CONSTRAINT bank_matches_by_a_person_or_not CHECK ((rule = 'HAND') = (made_by is not null))
);
CREATE INDEX bank_matches_name_idx ON bank_matches (name);
CREATE TABLE bank_match_lines (
    line_id BIGINT NOT NULL,
    match_id BIGINT NOT NULL,
    CONSTRAINT bank_match_lines_pkey PRIMARY KEY (line_id),
    CONSTRAINT bank_match_lines_line_id_fkey FOREIGN KEY (line_id) REFERENCES bank_statement_lines (id),
    CONSTRAINT bank_match_lines_match_id_fkey FOREIGN KEY (match_id) REFERENCES bank_matches (id)
);
CREATE INDEX bank_match_lines_match_idx ON bank_match_lines (match_id);
CREATE TABLE bank_match_postings (
    journal_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    match_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    CONSTRAINT bank_match_postings_pkey PRIMARY KEY (journal_id, currency),
    CONSTRAINT bank_match_postings_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES journals (id),
    CONSTRAINT bank_match_postings_match_id_fkey FOREIGN KEY (match_id) REFERENCES bank_matches (id)
);
CREATE INDEX bank_match_postings_match_idx ON bank_match_postings (match_id);

CREATE FUNCTION refuse_uneven_match() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_account bank_accounts := (SELECT a FROM bank_accounts a JOIN bank_matches m ON m.account_id = a.id
        WHERE m.id = NEW.match_id);
    v_number bigint := (SELECT 138 << 10 | number FROM currencies WHERE code = v_account.currency);
BEGIN
    IF EXISTS (
        SELECT FROM bank_match_lines x JOIN bank_statement_lines l ON l.id = x.line_id
        WHERE x.match_id = NEW.match_id AND (l.account_id <> v_account.id OR l.repeats_id IS NOT NULL)
    ) OR EXISTS (
        SELECT FROM bank_match_postings x JOIN journals j ON j.id = x.journal_id
        WHERE x.match_id = NEW.match_id AND (x.currency <> v_account.currency
            OR x.amount_minor IS DISTINCT FROM j.amounts[array_position(j.account_ids, v_number)])
    ) OR (
        SELECT coalesce(sum(l.amount_minor), 0) FROM bank_match_lines x JOIN bank_statement_lines l ON l.id = x.line_id
        WHERE x.match_id = NEW.match_id
    ) <> (SELECT coalesce(sum(amount_minor), 0) FROM bank_match_postings WHERE match_id = NEW.match_id)
    OR NOT EXISTS (SELECT FROM bank_match_postings WHERE match_id = NEW.match_id) THEN
        RAISE EXCEPTION 'Match % does not sum to the same on both sides', NEW.match_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION refuse_uneven_match FROM PUBLIC;
CREATE CONSTRAINT TRIGGER bank_match_lines_even AFTER INSERT OR UPDATE ON bank_match_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_uneven_match();
CREATE CONSTRAINT TRIGGER bank_match_postings_even AFTER INSERT OR UPDATE ON bank_match_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_uneven_match();
GRANT SELECT, INSERT ON bank_matches, bank_match_lines, bank_match_postings TO app;
GRANT SELECT ON bank_matches, bank_match_lines, bank_match_postings TO auditor;
GRANT USAGE ON SEQUENCE bank_matches_id_seq TO app;

-- A line of our bank's can be in suspense as well, or what it differs by from what it is matched with.
ALTER TABLE suspense_items ALTER COLUMN transaction_id DROP NOT NULL;
ALTER TABLE suspense_items ADD COLUMN bank_line_id BIGINT;
ALTER TABLE suspense_items ADD COLUMN journal_id BIGINT;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_bank_line_id_fkey
    FOREIGN KEY (bank_line_id) REFERENCES bank_statement_lines (id);
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES journals (id);
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_bank_line_id_key UNIQUE (bank_line_id);
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_one_line CHECK (
    (transaction_id is null) <> (bank_line_id is null) and (bank_line_id is null) = (journal_id is null));
ALTER TABLE breaks ADD COLUMN bank_line_id BIGINT;
ALTER TABLE breaks ADD CONSTRAINT breaks_bank_line_id_fkey FOREIGN KEY (bank_line_id) REFERENCES bank_statement_lines (id);
