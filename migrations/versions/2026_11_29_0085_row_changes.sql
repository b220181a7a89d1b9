-- What every transaction did to the rows that matter: a hash of each row before and after, never a value. It is sealed
-- as entries and journals are. docs/audit-format.md says how the hashes are made up, docs/decisions/0029-rows-under-seal.md why.
CREATE TABLE row_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation text COLLATE "C" NOT NULL,
    row_key text COLLATE "C" NOT NULL,             -- the values of its primary key, with hyphens between
    op text COLLATE "C" NOT NULL CHECK (op IN ('insert', 'update', 'delete', 'take_in')),
    columns text,                                  -- of an update: which columns it changed, with spaces between
    before bytea,                                  -- the row's hash before
    digest bytea,                                  -- and after
    marks bytea,                                   -- for each column after it 4 bytes, which tell which was altered
    salt uuid NOT NULL,                            -- the row's own: no hash can be guessed at without it, and it can be destroyed
    login text NOT NULL,                           -- the login to the database that did it
    recorded_at timestamptz NOT NULL,
    xid xid8 NOT NULL,
    CHECK ((op IN ('update', 'delete')) = (before IS NOT NULL)),
    CHECK ((op = 'delete') = (digest IS NULL) AND (op = 'delete') = (marks IS NULL)),
    CHECK ((op = 'update') = (columns IS NOT NULL))
);
CREATE INDEX row_changes_xid_idx ON row_changes (xid);
CREATE INDEX row_changes_row_idx ON row_changes (relation, row_key, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON row_changes
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
GRANT SELECT ON row_changes TO app, auditor;

-- Its arguments are the columns of the primary key. PostgreSQL's text of a row has its values in the order of the columns
-- and nothing where one is null, so a column that is added, and is null so far, changes no hash.
CREATE FUNCTION log_row_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp
    SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET bytea_output = 'hex'
    SET extra_float_digits = 1 AS $$
DECLARE
    was text;
    became text;
    was_row json;
    became_row json;
    made row_changes;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        was := old::text;
        was_row := row_to_json(old);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        became := new::text;
        became_row := row_to_json(new);
    END IF;
    IF was = became THEN
        RETURN NULL;
    END IF;
    IF (SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1)
        <> (SELECT system_identifier FROM pg_control_system())
    THEN
        RAISE EXCEPTION 'This database was restored from a dump. Seal it once before anything is written.'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    FOR i IN 0 .. TG_NARGS - 1 LOOP
        made.row_key := concat_ws('-', made.row_key, coalesce(was_row, became_row) ->> TG_ARGV[i]);
        IF TG_OP = 'UPDATE' AND was_row ->> TG_ARGV[i] <> became_row ->> TG_ARGV[i] THEN
            RAISE EXCEPTION 'The key of a row of % stays as it is: what is logged of it would be of another row.', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    IF TG_OP <> 'INSERT' THEN
        SELECT salt INTO made.salt FROM row_changes
        WHERE relation = TG_TABLE_NAME AND row_key = made.row_key ORDER BY id DESC LIMIT 1;
    END IF;
    made.salt := coalesce(made.salt, gen_random_uuid());
    made.before := sha256(uuid_send(made.salt) || convert_to(rtrim(left(was, -1), ','), 'UTF8'));
    made.digest := sha256(uuid_send(made.salt) || convert_to(rtrim(left(became, -1), ','), 'UTF8'));
    IF TG_OP <> 'DELETE' THEN
        SELECT CASE WHEN TG_OP = 'UPDATE' THEN coalesce(string_agg(name, ' ') FILTER (WHERE value IS DISTINCT FROM was_value), '') END,
               string_agg(coalesce(substring(sha256(uuid_send(made.salt) || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
        INTO made.columns, made.marks
        FROM ROWS FROM (json_each_text(became_row), json_each_text(coalesce(was_row, became_row)))
            AS each(name, value, was_name, was_value);
    END IF;
    INSERT INTO row_changes (relation, row_key, op, columns, before, digest, marks, salt, login, recorded_at, xid)
    VALUES (TG_TABLE_NAME, made.row_key, lower(TG_OP), made.columns, made.before, made.digest, made.marks, made.salt,
            session_user, clock_timestamp(), pg_current_xact_id());
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION log_row_change FROM PUBLIC;

-- For migrations: the rows of a table as they are now, which nothing proves for the time before. Whatever alters rows
-- without a trigger (a column that comes with a default, that goes or that is of another type) ends with it.
CREATE FUNCTION take_rows_in(p_relation text) RETURNS bigint LANGUAGE plpgsql
    SET search_path = public, pg_temp
    SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET bytea_output = 'hex'
    SET extra_float_digits = 1 AS $$
DECLARE
    keys text;
    taken bigint;
BEGIN
    SELECT string_agg(format('r.%I', a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) INTO keys
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = p_relation::regclass AND i.indisprimary;
    EXECUTE format($take$
        INSERT INTO row_changes (relation, row_key, op, digest, marks, salt, login, recorded_at, xid)
        SELECT %1$L, number, 'take_in', sha256(uuid_send(salt) || convert_to(rtrim(left(words, -1), ','), 'UTF8')),
               (SELECT string_agg(coalesce(substring(sha256(uuid_send(salt) || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
                FROM json_each_text(as_json) AS each(name, value)),
               salt, session_user, clock_timestamp(), pg_current_xact_id()
        FROM (SELECT concat_ws('-', %2$s) AS number, r::text AS words, row_to_json(r) AS as_json, gen_random_uuid() AS salt
              FROM public.%1$I r ORDER BY %2$s OFFSET 0) AS taken
        $take$, p_relation, keys);
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END $$;

CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'The rows of % are under seal: no table of them is emptied at once.', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
REVOKE ALL ON FUNCTION refuse_truncate FROM PUBLIC;

-- For migrations: from now on the rows of this table are under seal. Whoever verifies reads every column of them, also
-- the hash of a key or of an invitation's token, which are long random numbers.
CREATE FUNCTION put_under_seal(p_relation text) RETURNS bigint LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    keys text;
BEGIN
    SELECT string_agg(quote_literal(a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) INTO keys
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = p_relation::regclass AND i.indisprimary;
    EXECUTE format('CREATE TRIGGER row_changes AFTER INSERT OR UPDATE OR DELETE ON public.%I'
        ' FOR EACH ROW EXECUTE FUNCTION log_row_change(%s)', p_relation, keys);
    EXECUTE format('CREATE TRIGGER truncate_refused BEFORE TRUNCATE ON public.%I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()', p_relation);
    EXECUTE format('GRANT SELECT ON public.%I TO auditor', p_relation);
    RETURN take_rows_in(p_relation);
END $$;
REVOKE ALL ON FUNCTION take_rows_in, put_under_seal FROM PUBLIC;

-- Seals take row changes in as a third kind of row. Seals of before keep their form: they have no count of them.
ALTER TABLE seal_epochs ADD COLUMN changes_after bigint NOT NULL DEFAULT 0;
ALTER TABLE seals ADD COLUMN changes_after bigint;
ALTER TABLE seals ADD COLUMN changes bigint;
ALTER TABLE seals DROP CONSTRAINT seals_check1;
ALTER TABLE seals ADD CONSTRAINT seals_leaves CHECK (length(leaves) = 16 * (entries + journals + coalesce(changes, 0)));
ALTER TABLE seals ADD CONSTRAINT seals_changes CHECK ((changes IS NULL) = (changes_after IS NULL));

CREATE FUNCTION change_leaf(r row_changes) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(record_send(row(
        convert_to('change', 'UTF8'), r.id, convert_to(r.relation, 'UTF8'), convert_to(r.row_key, 'UTF8'),
        convert_to(r.op, 'UTF8'), convert_to(r.columns, 'UTF8'), r.before, r.digest, r.marks,
        convert_to(r.login, 'UTF8'), r.recorded_at, r.xid)))
$$;

CREATE OR REPLACE FUNCTION seal_batch(era seal_epochs, p_lo xid8, p_hi xid8) RETURNS bigint
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    before seals;
    made seals;
BEGIN
    SELECT * INTO before FROM seals ORDER BY n DESC LIMIT 1;
    made.n := coalesce(before.n, 0) + 1;
    made.epoch := era.epoch;
    made.lo := p_lo;
    made.hi := p_hi;
    made.entries_after := era.entries_after;
    made.journals_after := era.journals_after;
    made.changes_after := era.changes_after;
    WITH leaf AS MATERIALIZED (
        SELECT 1 AS kind, r.xid, r.id, audit_leaf(r) AS leaf FROM audit_entries r
        WHERE r.xid >= p_lo AND r.xid < p_hi AND r.id > era.entries_after
        UNION ALL
        SELECT 2, r.xid, r.id, journal_leaf(r) FROM journals r
        WHERE r.xid >= p_lo AND r.xid < p_hi AND r.id > era.journals_after
        UNION ALL
        SELECT 3, r.xid, r.id, change_leaf(r) FROM row_changes r
        WHERE r.xid >= p_lo AND r.xid < p_hi AND r.id > era.changes_after
    )
    SELECT count(*) FILTER (WHERE kind = 1), count(*) FILTER (WHERE kind = 2), count(*) FILTER (WHERE kind = 3),
           sha256(string_agg(leaf, '' ORDER BY kind, xid, id)),
           string_agg(int8send(id) || substring(leaf FOR 8), '' ORDER BY kind, xid, id)
    INTO made.entries, made.journals, made.changes, made.root, made.leaves
    FROM leaf;
    IF made.root IS NULL AND p_hi <> '18446744073709551615' THEN
        RETURN NULL;                               -- nothing to seal; only the end of an epoch is sealed all the same
    END IF;
    made.root := coalesce(made.root, sha256(''));
    made.leaves := coalesce(made.leaves, '');
    made.prev := coalesce(before.hash, sha256(convert_to(era.ledger::text, 'UTF8')));
    made.sealed_at := clock_timestamp();
    made.hash := sha256(convert_to(concat_ws(E'\n', 'escrow-desk seal 2', made.n, made.epoch, made.lo, made.hi,
        made.entries_after, made.journals_after, made.changes_after, made.entries, made.journals, made.changes,
        encode(made.root, 'hex'), encode(sha256(made.leaves), 'hex'), encode(made.prev, 'hex'),
        (extract(epoch FROM made.sealed_at) * 1000000)::bigint), 'UTF8'));
    INSERT INTO seals VALUES (made.*);
    RETURN made.n;
END $$;

CREATE OR REPLACE FUNCTION seal_until(era seal_epochs, p_lo xid8, p_rows bigint) RETURNS xid8
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    full_at xid8;
BEGIN
    SELECT xid INTO full_at FROM (
        (SELECT xid FROM audit_entries WHERE xid >= p_lo AND id > era.entries_after ORDER BY xid LIMIT p_rows)
        UNION ALL (SELECT xid FROM journals WHERE xid >= p_lo AND id > era.journals_after ORDER BY xid LIMIT p_rows)
        UNION ALL (SELECT xid FROM row_changes WHERE xid >= p_lo AND id > era.changes_after ORDER BY xid LIMIT p_rows)
    ) waiting ORDER BY xid OFFSET p_rows - 1 LIMIT 1;
    RETURN least(horizon, (full_at::text::numeric + 1)::text::xid8);
END $$;

CREATE OR REPLACE FUNCTION open_epoch(era seal_epochs, p_system_identifier bigint) RETURNS seal_epochs
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE audit_entries, journals, row_changes IN SHARE MODE;
    PERFORM seal_batch(era, sealed_up_to(era), '18446744073709551615');
    era.epoch := era.epoch + 1;
    era.system_identifier := p_system_identifier;
    era.entries_after := greatest(era.entries_after, (SELECT max(id) FROM audit_entries));
    era.journals_after := greatest(era.journals_after, (SELECT max(id) FROM journals));
    era.changes_after := greatest(era.changes_after, (SELECT max(id) FROM row_changes));
    era.opened_at := clock_timestamp();
    INSERT INTO seal_epochs VALUES (era.*);
    PERFORM begin_ledger_epoch();
    RETURN era;
END $$;

-- Rows of before are taken in as they are.
SELECT put_under_seal(relation) FROM regexp_split_to_table(btrim('
    api_keys bank_accounts bank_change_proposals bank_changes bank_charge_rules bank_match_lines
    bank_match_postings bank_matches bank_statement_files bank_statement_lines bank_statements breaks case_reveals
    cases chargeback_acceptances chargeback_evidence chargeback_files chargeback_remarks chargebacks charges
    csv_mappings debt_write_offs decisions document_series duplicate_payments engagements evidence evidence_notes
    evidence_views failed_returns final_ratings handovers hold_lifts holds installation legal_checks letter_preferences
    line_corrections manual_journals messages milestones notifications offers outgoing_operations parties
    party_changes party_requests payee_holds payment_events payment_method_setups payment_orders payout_offers
    payout_stops payouts period_reopenings periods policy_proposals policy_versions practice_flags project_reviews
    projects receipts recusals refund_returns refunds repayment_instalments repayment_plans reports review_rounds
    risk_reviews role_grants settlement_currencies staff staff_invitations staff_roles staff_ties suspense_items
    ties_ruled_out unhashed_content webhook_endpoints year_end_entries
', E' \n'), E'\\s+') AS relation;
