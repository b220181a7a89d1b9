-- The platform's own bank: its accounts, the files that it sends, and their statements line by line.
CREATE TABLE bank_accounts (
    id BIGSERIAL NOT NULL,
    code VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    identifier VARCHAR NOT NULL,
    opened_by BIGINT,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bank_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT bank_accounts_code_key UNIQUE (code),
    -- The ledger has one account `bank` a currency.
    CONSTRAINT bank_accounts_currency_key UNIQUE (currency),
    CONSTRAINT bank_accounts_id_currency_key UNIQUE (id, currency),
    CONSTRAINT bank_accounts_opened_by_fkey FOREIGN KEY (opened_by) REFERENCES staff (id),
    CONSTRAINT bank_accounts_code_is_plain CHECK (code ~ '^[a-z0-9][a-z0-9-]{0,39}$' AND code <> 'stripe'),
    CONSTRAINT bank_accounts_identifier_is_plain CHECK (identifier ~ '^[A-Z0-9]{4,40}$')
);
CREATE TRIGGER bank_accounts_keep_words BEFORE UPDATE ON bank_accounts
    FOR EACH ROW WHEN (
        (OLD.id, OLD.code, OLD.currency, OLD.opened_by, OLD.opened_at)
        IS DISTINCT FROM (NEW.id, NEW.code, NEW.currency, NEW.opened_by, NEW.opened_at)
    ) EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER bank_accounts_stay BEFORE DELETE OR TRUNCATE ON bank_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- How the columns of a bank's CSV are read: saved by name, one version after another.
CREATE TABLE csv_mappings (
    id BIGSERIAL NOT NULL,
    name VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    definition JSONB NOT NULL,
    made_by BIGINT,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT csv_mappings_pkey PRIMARY KEY (id),
    CONSTRAINT csv_mappings_name_version_key UNIQUE (name, version),
    CONSTRAINT csv_mappings_made_by_fkey FOREIGN KEY (made_by) REFERENCES staff (id),
    CONSTRAINT csv_mappings_counted CHECK (version > 0)
);
CREATE TRIGGER csv_mappings_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON csv_mappings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE TABLE bank_statement_files (
    id BIGSERIAL NOT NULL,
    sha256 VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    mapping_id BIGINT,
    imported_by BIGINT,
    imported_via VARCHAR,
    imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bank_statement_files_pkey PRIMARY KEY (id),
    CONSTRAINT bank_statement_files_sha256_key UNIQUE (sha256),
    CONSTRAINT bank_statement_files_mapping_id_fkey FOREIGN KEY (mapping_id) REFERENCES csv_mappings (id),
    CONSTRAINT bank_statement_files_imported_by_fkey FOREIGN KEY (imported_by) REFERENCES staff (id),
    CONSTRAINT bank_statement_files_format
        CHECK (format in ('CAMT053', 'MT940', 'OFX', 'BAI2', 'CSV', 'STRIPE_REPORT')),
    CONSTRAINT bank_statement_files_hashed CHECK (sha256 ~ '^[0-9a-f]{64}$' AND size_bytes > 0),
    CONSTRAINT bank_statement_files_mapped CHECK ((format = 'CSV') = (mapping_id is not null))
);
CREATE TRIGGER bank_statement_files_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statement_files
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE TABLE bank_statements (
    id BIGSERIAL NOT NULL,
    file_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    reference VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    first_on DATE NOT NULL,
    last_on DATE NOT NULL,
    opening_minor BIGINT NOT NULL,
    closing_minor BIGINT NOT NULL,
    balances VARCHAR NOT NULL,
    lines BIGINT NOT NULL,
    lines_hash VARCHAR NOT NULL,
    CONSTRAINT bank_statements_pkey PRIMARY KEY (id),
    CONSTRAINT bank_statements_file_id_number_key UNIQUE (file_id, number),
    CONSTRAINT bank_statements_id_account_id_currency_key UNIQUE (id, account_id, currency),
    CONSTRAINT bank_statements_file_id_fkey FOREIGN KEY (file_id) REFERENCES bank_statement_files (id),
    CONSTRAINT bank_statements_account_id_currency_fkey
        FOREIGN KEY (account_id, currency) REFERENCES bank_accounts (id, currency),
    CONSTRAINT bank_statements_balances CHECK (balances in ('STATED', 'CLOSING', 'CARRIED')),
    CONSTRAINT bank_statements_in_order CHECK (first_on <= last_on AND number > 0 AND lines >= 0)
);
CREATE INDEX bank_statements_account_idx ON bank_statements (account_id, last_on, id);
CREATE TRIGGER bank_statements_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE TABLE bank_statement_lines (
    id BIGSERIAL NOT NULL,
    statement_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    booked_on DATE NOT NULL,
    value_on DATE,
    amount_minor BIGINT NOT NULL,
    reference VARCHAR NOT NULL,
    counterparty VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    odd JSONB NOT NULL,
    key VARCHAR NOT NULL,
    repeats_id BIGINT,
    CONSTRAINT bank_statement_lines_pkey PRIMARY KEY (id),
    CONSTRAINT bank_statement_lines_statement_id_number_key UNIQUE (statement_id, number),
    CONSTRAINT bank_statement_lines_statement_id_account_id_currency_fkey
        FOREIGN KEY (statement_id, account_id, currency) REFERENCES bank_statements (id, account_id, currency)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT bank_statement_lines_repeats_id_fkey
        FOREIGN KEY (repeats_id) REFERENCES bank_statement_lines (id),
    CONSTRAINT bank_statement_lines_repeats_another CHECK (repeats_id < id)
);
-- The same line is imported once, whichever statements it stands in.
CREATE UNIQUE INDEX bank_statement_lines_once_idx ON bank_statement_lines (account_id, key) WHERE repeats_id IS NULL;
CREATE INDEX bank_statement_lines_day_idx ON bank_statement_lines (account_id, booked_on, id) WHERE repeats_id IS NULL;
CREATE INDEX bank_statement_lines_amount_idx ON bank_statement_lines (account_id, amount_minor, booked_on)
    WHERE repeats_id IS NULL;
CREATE TRIGGER bank_statement_lines_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- What one statement says, as one hash: its lines in their order, as they were imported.
CREATE FUNCTION bank_lines_hash(p_statement_id bigint) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT encode(sha256(convert_to(coalesce(string_agg(
        jsonb_build_array(number, booked_on, value_on, amount_minor, currency, reference, counterparty, text, odd,
            key)::text, E'\n' ORDER BY number), ''), 'UTF8')), 'hex')
    FROM bank_statement_lines WHERE statement_id = p_statement_id
$$;
REVOKE ALL ON FUNCTION bank_lines_hash FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bank_lines_hash TO app, auditor;

-- The lines come first, then their statement, which closes them: opening + lines = closing, and as many lines as it says.
CREATE FUNCTION check_bank_statement() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_sum numeric; v_count bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('bank_statement.' || NEW.id, 0));
    SELECT coalesce(sum(amount_minor), 0), count(*) INTO v_sum, v_count
    FROM bank_statement_lines WHERE statement_id = NEW.id;
    IF NEW.opening_minor + v_sum <> NEW.closing_minor THEN
        RAISE EXCEPTION 'bank statement %: opening % and lines % do not make closing %',
            NEW.id, NEW.opening_minor, v_sum, NEW.closing_minor USING ERRCODE = 'check_violation';
    END IF;
    IF v_count <> NEW.lines OR bank_lines_hash(NEW.id) <> NEW.lines_hash THEN
        RAISE EXCEPTION 'bank statement %: its lines are not those that it was made of', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION check_bank_statement() FROM PUBLIC;
CREATE TRIGGER bank_statements_add_up BEFORE INSERT ON bank_statements
    FOR EACH ROW EXECUTE FUNCTION check_bank_statement();

-- A statement that is there gets no line any more.
CREATE FUNCTION check_bank_lines() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('bank_statement.' || statement_id, 0))
    FROM (SELECT DISTINCT statement_id FROM added ORDER BY 1) a;
    IF EXISTS (SELECT FROM added JOIN bank_statements s ON s.id = added.statement_id) THEN
        RAISE EXCEPTION 'a bank statement that was imported gets no other lines' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION check_bank_lines() FROM PUBLIC;
CREATE TRIGGER bank_statement_lines_before_statement AFTER INSERT ON bank_statement_lines
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_bank_lines();

GRANT SELECT, INSERT ON bank_accounts, csv_mappings, bank_statement_files, bank_statements, bank_statement_lines TO app;
GRANT UPDATE (name, identifier) ON bank_accounts TO app;
GRANT SELECT ON bank_accounts, csv_mappings, bank_statement_files, bank_statements, bank_statement_lines TO auditor;
GRANT USAGE ON SEQUENCE bank_accounts_id_seq, csv_mappings_id_seq, bank_statement_files_id_seq,
    bank_statements_id_seq, bank_statement_lines_id_seq TO app;
