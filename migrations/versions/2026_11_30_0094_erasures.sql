-- Erasing a person takes two people. The database does it itself, in their transaction: it overwrites what is theirs, and
-- destroys the salts under which what stood there was hashed. docs/decisions/0032-erasing-a-person.md says why so.
CREATE TABLE erasures (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR DEFAULT 'PROPOSED' NOT NULL,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    xid XID8,                                      -- the transaction that erases, while it does
    erased_at TIMESTAMP WITH TIME ZONE,
    counts JSONB,                                  -- by table, how many rows were overwritten
    versions BIGINT,                               -- of how many changes the salt was destroyed
    documents_until TIMESTAMP WITH TIME ZONE,      -- until then the name stands in documents that the law keeps
    files_gone_at TIMESTAMP WITH TIME ZONE,        -- when the key of their files was destroyed
    CONSTRAINT erasures_pkey PRIMARY KEY (id),
    CONSTRAINT erasures_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT erasures_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT erasures_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT erasures_status CHECK (status in ('PROPOSED', 'DONE', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    CONSTRAINT erasures_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null)
        and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    CONSTRAINT erasures_two_people CHECK (status not in ('DONE', 'REJECTED') or settled_by <> proposed_by),
    CONSTRAINT erasures_erased_whole CHECK ((erased_at is null) = (counts is null)
        and (erased_at is null) = (versions is null)
        and (erased_at is null or status = 'DONE')
        and (erased_at is not null or documents_until is null and files_gone_at is null))
);
CREATE INDEX erasures_party_id_idx ON erasures (party_id);
CREATE UNIQUE INDEX erasures_one_open_idx ON erasures (party_id) WHERE status in ('PROPOSED', 'DONE');
CREATE INDEX erasures_files_idx ON erasures (id) WHERE erased_at is not null and files_gone_at is null;
CREATE INDEX erasures_documents_idx ON erasures (documents_until) WHERE documents_until is not null;
GRANT SELECT, INSERT ON erasures TO app;
GRANT UPDATE (status, settled_by, settled_at, note, files_gone_at) ON erasures TO app;
GRANT USAGE ON SEQUENCE erasures_id_seq TO app;
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('erasures', 'PROPOSED', 'DONE'),
    ('erasures', 'PROPOSED', 'REJECTED'),
    ('erasures', 'PROPOSED', 'WITHDRAWN'),
    ('erasures', 'PROPOSED', 'RETURNED');
CREATE TRIGGER erasures_legal_move BEFORE UPDATE OF status ON erasures FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER erasures_recorded AFTER UPDATE OF status ON erasures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('erasure', 'status', 'id');
CREATE TRIGGER erasures_stand_on_their_maker BEFORE UPDATE OF status ON erasures FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'compliance');
CREATE TRIGGER erasures_begin_as_proposals BEFORE INSERT ON erasures FOR EACH ROW
    WHEN (NEW.status <> 'PROPOSED') EXECUTE FUNCTION refuse_rewrite();
SELECT put_under_seal('erasures');
ALTER TABLE parties ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE;

-- Whose words stand where, and what stands there afterwards. core/rules/personal_data.py has the same.
CREATE TABLE personal_data (
    place INTEGER NOT NULL,
    relation TEXT NOT NULL,
    whose TEXT NOT NULL,
    sets TEXT NOT NULL,
    CONSTRAINT personal_data_pkey PRIMARY KEY (place)
);
GRANT SELECT ON personal_data TO app, auditor;
CREATE TRIGGER personal_data_stays BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON personal_data
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE personal_data DISABLE TRIGGER personal_data_stays;
INSERT INTO personal_data (place, relation, whose, sets) VALUES
    (1, 'messages', 'r.author_kind = ''party'' and r.author_id = e.party',
     'body = ''erased'''),
    (2, 'messages', '(r.milestone_id = any(e.milestones)) and concat_ws('' '', r.body) ~* e.names',
     'body = without_names(r.body, e.names)'),
    (3, 'cases', 'r.opened_by = e.party and r.opened_by_staff is null and r.details <> ''''',
     'details = ''erased'''),
    (4, 'cases', '(r.id = any(e.cases)) and concat_ws('' '', r.details) ~* e.names',
     'details = without_names(r.details, e.names)'),
    (5, 'evidence', 'r.uploaded_by = e.party',
     'file_name = ''erased'', caption = case r.caption when '''' then '''' else ''erased'' end'),
    (6, 'evidence', '(r.milestone_id = any(e.milestones)) and concat_ws('' '', r.file_name, r.caption) ~* e.names',
     'file_name = without_names(r.file_name, e.names), caption = without_names(r.caption, e.names)'),
    (7, 'evidence_notes', '(exists (select from evidence v where v.id = r.evidence_id and v.milestone_id = any(e.milestones))) and concat_ws('' '', r.body) ~* e.names',
     'body = without_names(r.body, e.names)'),
    (8, 'party_requests', '(r.case_id = any(e.cases)) and concat_ws('' '', r.question) ~* e.names',
     'question = without_names(r.question, e.names)'),
    (9, 'settlement_proposals', 'r.proposed_by = e.party and r.note <> ''''',
     'note = ''erased'''),
    (10, 'settlement_proposals', '(r.case_id = any(e.cases)) and concat_ws('' '', r.note) ~* e.names',
     'note = without_names(r.note, e.names)'),
    (11, 'project_reviews', 'r.author_id = e.party and r.body <> ''''',
     'body = ''erased'''),
    (12, 'project_reviews', '(r.project_id = any(e.projects)) and concat_ws('' '', r.body) ~* e.names',
     'body = without_names(r.body, e.names)'),
    (13, 'reports', 'r.author_kind = ''party'' and r.author_id = e.party',
     'details = ''erased'''),
    (14, 'reports', '(r.project_id = any(e.projects)) and concat_ws('' '', r.details, r.note) ~* e.names',
     'details = without_names(r.details, e.names), note = without_names(r.note, e.names)'),
    (15, 'notifications', 'r.party_id = e.party',
     'subject = ''erased'', text = ''erased'', html = ''erased'', address = null, error = null'),
    (16, 'notifications', '(r.project_id = any(e.projects) or r.milestone_id = any(e.milestones)) and concat_ws('' '', r.subject, r.text, r.html, r.error) ~* e.names',
     'subject = without_names(r.subject, e.names), text = without_names(r.text, e.names), html = without_names(r.html, e.names), error = without_names(r.error, e.names)'),
    (17, 'notifications', '(r.project_id = any(e.projects) or r.milestone_id = any(e.milestones)) and quotes(concat_ws('' '', r.subject, r.text, r.html), e.words)',
     'subject = without_words(r.subject, e.words), text = without_words(r.text, e.words), html = without_words(r.html, e.words)'),
    (18, 'handovers', '(r.case_id = any(e.cases)) and concat_ws('' '', r.note) ~* e.names',
     'note = without_names(r.note, e.names)'),
    (19, 'recusals', '(r.case_id = any(e.cases)) and concat_ws('' '', r.reason) ~* e.names',
     'reason = without_names(r.reason, e.names)'),
    (20, 'case_reveals', '(r.case_id = any(e.cases)) and concat_ws('' '', r.draft::text) ~* e.names',
     'draft = without_names(r.draft::text, e.names)::jsonb'),
    (21, 'decision_drafts', '(r.case_id = any(e.cases)) and concat_ws('' '', r.content::text) ~* e.names',
     'content = without_names(r.content::text, e.names)::jsonb'),
    (22, 'holds', '(r.milestone_id = any(e.milestones)) and concat_ws('' '', r.reason, r.news, r.release_reason) ~* e.names',
     'reason = without_names(r.reason, e.names), news = without_names(r.news, e.names), release_reason = without_names(r.release_reason, e.names)'),
    (23, 'payee_holds', '(r.party_id = e.party) and concat_ws('' '', r.reason, r.release_reason) ~* e.names',
     'reason = without_names(r.reason, e.names), release_reason = without_names(r.release_reason, e.names)'),
    (24, 'hold_lifts', '(exists (select from holds h where h.id = r.hold_id and h.milestone_id = any(e.milestones)) or exists (select from payee_holds h where h.id = r.payee_hold_id and h.party_id = e.party)) and concat_ws('' '', r.reason, r.note) ~* e.names',
     'reason = without_names(r.reason, e.names), note = without_names(r.note, e.names)'),
    (25, 'risk_reviews', '(r.milestone_id = any(e.milestones)) and concat_ws('' '', r.note) ~* e.names',
     'note = without_names(r.note, e.names)'),
    (26, 'practice_flags', '(r.project_id = any(e.projects)) and concat_ws('' '', r.resolution) ~* e.names',
     'resolution = without_names(r.resolution, e.names)'),
    (27, 'chargeback_files', 'r.owner_id = e.party',
     'title = ''erased'', contents = (select coalesce(jsonb_agg(t || jsonb_build_object(''title'', ''erased'')), ''[]'') from jsonb_array_elements(r.contents) t)'),
    (28, 'chargeback_files', '(exists (select from chargebacks b where b.id = r.chargeback_id and b.milestone_id = any(e.milestones))) and concat_ws('' '', r.title, r.contents::text) ~* e.names',
     'title = without_names(r.title, e.names), contents = without_names(r.contents::text, e.names)::jsonb'),
    (29, 'chargeback_evidence', 'exists (select from chargebacks b join milestones m on m.id = b.milestone_id join projects p on p.id = m.project_id where b.id = r.chargeback_id and p.payer_id = e.party)',
     'texts = (select coalesce(jsonb_object_agg(t.key, ''erased''), ''{}'') from jsonb_each(r.texts) t)'),
    (30, 'chargeback_evidence', '(exists (select from chargebacks b where b.id = r.chargeback_id and b.milestone_id = any(e.milestones))) and concat_ws('' '', r.texts::text) ~* e.names',
     'texts = without_names(r.texts::text, e.names)::jsonb'),
    (31, 'chargeback_remarks', '(exists (select from chargebacks b where b.id = r.chargeback_id and b.milestone_id = any(e.milestones))) and concat_ws('' '', r.body) ~* e.names',
     'body = without_names(r.body, e.names)'),
    (32, 'chargeback_acceptances', '(exists (select from chargebacks b where b.id = r.chargeback_id and b.milestone_id = any(e.milestones))) and concat_ws('' '', r.reason, r.note) ~* e.names',
     'reason = without_names(r.reason, e.names), note = without_names(r.note, e.names)'),
    (33, 'debt_write_offs', '(r.party_id = e.party) and concat_ws('' '', r.reason, r.note) ~* e.names',
     'reason = without_names(r.reason, e.names), note = without_names(r.note, e.names)'),
    (34, 'repayment_plans', '(r.party_id = e.party) and concat_ws('' '', r.reason, r.end_reason) ~* e.names',
     'reason = without_names(r.reason, e.names), end_reason = without_names(r.end_reason, e.names)'),
    (35, 'bank_change_proposals', '(exists (select from bank_changes b where b.id = r.bank_change_id and b.party_id = e.party)) and concat_ws('' '', r.reason, r.note) ~* e.names',
     'reason = without_names(r.reason, e.names), note = without_names(r.note, e.names)'),
    (36, 'refund_returns', '(exists (select from refunds f where f.id = r.refund_id and f.milestone_id = any(e.milestones))) and concat_ws('' '', r.reference, r.reason, r.note) ~* e.names',
     'reference = without_names(r.reference, e.names), reason = without_names(r.reason, e.names), note = without_names(r.note, e.names)'),
    (37, 'payout_offers', '(exists (select from payouts w where w.id = r.payout_id and w.party_id = e.party)) and concat_ws('' '', r.reason) ~* e.names',
     'reason = without_names(r.reason, e.names)'),
    (38, 'suspense_items', '(r.milestone_id = any(e.milestones)) and concat_ws('' '', r.reason, r.why, r.proposed_reason) ~* e.names',
     'reason = without_names(r.reason, e.names), why = without_names(r.why, e.names), proposed_reason = without_names(r.proposed_reason, e.names)'),
    (39, 'breaks', 'concat_ws('' '', r.remark) ~* e.names',
     'remark = without_names(r.remark, e.names)'),
    (40, 'staff_ties', '(r.party_id = e.party) and concat_ws('' '', r.reason) ~* e.names',
     'reason = without_names(r.reason, e.names)'),
    (41, 'ties_ruled_out', '(r.party_id = e.party) and concat_ws('' '', r.reason) ~* e.names',
     'reason = without_names(r.reason, e.names)'),
    (42, 'legal_holds', '(r.party_id = e.party) and concat_ws('' '', r.reason, r.lift_reason) ~* e.names',
     'reason = without_names(r.reason, e.names), lift_reason = without_names(r.lift_reason, e.names)'),
    (43, 'erasures', '(r.party_id = e.party) and concat_ws('' '', r.reason, r.note) ~* e.names',
     'reason = without_names(r.reason, e.names), note = without_names(r.note, e.names)'),
    (44, 'unsent_texts', 'concat_ws('' '', r.body) ~* e.names',
     'body = without_names(r.body, e.names)'),
    (45, 'exports', 'concat_ws('' '', r.name, r.failure, r.filter::text, r.facts::text) ~* e.names',
     'name = without_names(r.name, e.names), failure = without_names(r.failure, e.names), filter = without_names(r.filter::text, e.names)::jsonb, facts = without_names(r.facts::text, e.names)::jsonb'),
    (46, 'outgoing_operations', '(r.milestone_id = any(e.milestones) or r.party_id = e.party) and concat_ws('' '', r.last_error, r.payload::text) ~* e.names',
     'last_error = without_names(r.last_error, e.names), payload = without_names(r.payload::text, e.names)::jsonb'),
    (47, 'outgoing_events', 'concat_ws('' '', r.error, r.data::text) ~* e.names',
     'error = without_names(r.error, e.names), data = without_names(r.data::text, e.names)::jsonb'),
    (48, 'event_deliveries', 'concat_ws('' '', r.error, r.answer) ~* e.names',
     'error = without_names(r.error, e.names), answer = without_names(r.answer, e.names)'),
    (49, 'webhook_events', 'r.payload::text ~* e.ids',
     'payload = ''{"erased": true}'', error = without_names(r.error, e.names)'),
    (50, 'api_answers', 'r.body ~* e.ids',
     'status = 410, body = '''''),
    (51, 'bank_changes', 'r.party_id = e.party',
     'before_last4 = case when r.before_last4 is not null then ''—'' end, after_last4 = ''—'''),
    (52, 'payee_accounts', 'r.party_id = e.party',
     'banks = (select coalesce(jsonb_object_agg(t.key, t.value || jsonb_build_object(''called'', ''erased'', ''last4'', ''—'')), ''{}'') from jsonb_each(r.banks) t)'),
    (53, 'payment_method_setups', 'r.party_id = e.party',
     'failure = null'),
    (54, 'party_changes', 'r.party_id = e.party',
     'before = ''erased'', after = '''''),
    (55, 'receipts', 'r.payer_id = e.party and r.at < e.documents_before',
     'payer_name = ''erased'''),
    (56, 'receipts', 'r.payee_id = e.party and r.at < e.documents_before',
     'payee_name = ''erased'''),
    (57, 'parties', 'r.id = e.party',
     'name = ''erased'', email = ''erased'', city = '''', language = ''en'', payment_method = null, method_kind = null, method_brand = null, method_last4 = null, method_saved_at = null, bank_token_sha256 = null, erased_at = coalesce(r.erased_at, e.at)');
ALTER TABLE personal_data ENABLE TRIGGER personal_data_stays;

CREATE FUNCTION without_names(said text, names text) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog AS $$
    SELECT regexp_replace(said, names, 'erased', 'gi')
$$;

CREATE FUNCTION without_words(said text, words text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog AS $$
DECLARE
    word text;
BEGIN
    FOREACH word IN ARRAY words LOOP
        said := replace(said, word, 'erased');
    END LOOP;
    RETURN said;
END $$;
CREATE FUNCTION quotes(said text, words text[]) RETURNS boolean LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM unnest(words) AS word WHERE position(word IN said) > 0)
$$;

-- While the database erases, in the transaction of whoever approved it, and at no other time.
CREATE FUNCTION erasing() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM erasures WHERE xid = pg_current_xact_id_if_assigned() AND status = 'DONE')
$$;

CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND erasing() THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is not allowed: the record stays as it was written', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE OR REPLACE FUNCTION refuse_second_writing() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
DECLARE
    was CONSTANT jsonb := to_jsonb(OLD);
    is_now CONSTANT jsonb := to_jsonb(NEW);
    name text;
BEGIN
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF was -> name <> 'null' AND was -> name <> is_now -> name AND NOT erasing() THEN
            RAISE EXCEPTION '% of row % of % is written already', name, was ->> 'id', TG_TABLE_NAME
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION keep_what_was() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed text;
    old_values jsonb := to_jsonb(OLD);
    new_values jsonb := to_jsonb(NEW);
BEGIN
    IF NEW.erased_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
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

-- Whoever is erased stays so: nothing is learned of them again, and no project begins with them.
CREATE FUNCTION party_stays_erased() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF (NEW.name, NEW.email, NEW.city, NEW.language, NEW.payment_method, NEW.method_kind, NEW.method_brand,
        NEW.method_last4, NEW.bank_token_sha256, NEW.erased_at)
       IS DISTINCT FROM (OLD.name, OLD.email, OLD.city, OLD.language, OLD.payment_method, OLD.method_kind,
        OLD.method_brand, OLD.method_last4, OLD.bank_token_sha256, OLD.erased_at) THEN
        RAISE EXCEPTION 'party % is erased: nothing is learned of them again', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER parties_stay_erased BEFORE UPDATE ON parties FOR EACH ROW
    WHEN (OLD.erased_at IS NOT NULL) EXECUTE FUNCTION party_stays_erased();
CREATE FUNCTION only_the_database_erases() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT erasing() THEN
        RAISE EXCEPTION 'a party is erased when two people have approved it' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER parties_erased_by_two BEFORE UPDATE OF erased_at ON parties FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION only_the_database_erases();
CREATE FUNCTION no_project_with_erased() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    -- The share waits for whoever erases at this moment.
    PERFORM FROM parties WHERE id IN (NEW.payer_id, NEW.payee_id) ORDER BY id FOR KEY SHARE;
    IF EXISTS (SELECT FROM parties WHERE id IN (NEW.payer_id, NEW.payee_id) AND erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a party of this project is erased' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER projects_with_nobody_erased BEFORE INSERT ON projects FOR EACH ROW
    EXECUTE FUNCTION no_project_with_erased();
CREATE FUNCTION banks_stay_erased() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM parties WHERE id = NEW.party_id AND erased_at IS NOT NULL) AND NOT erasing() THEN
        NEW.banks := OLD.banks;                    -- Stripe may be read again
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payee_accounts_banks_stay_erased BEFORE UPDATE OF banks ON payee_accounts FOR EACH ROW
    EXECUTE FUNCTION banks_stay_erased();

-- The log of rows only grows, and of a change that was erased by right the salt is gone.
ALTER TABLE row_changes ALTER COLUMN salt DROP NOT NULL;
CREATE INDEX row_changes_erased_idx ON row_changes (relation, row_key) WHERE salt IS NULL;
CREATE FUNCTION row_changes_only_lose_salts() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT erasing() OR NEW.salt IS NOT NULL
       OR (NEW.id, NEW.relation, NEW.row_key, NEW.op, NEW.columns, NEW.before, NEW.digest, NEW.marks, NEW.login,
           NEW.recorded_at, NEW.xid)
          IS DISTINCT FROM (OLD.id, OLD.relation, OLD.row_key, OLD.op, OLD.columns, OLD.before, OLD.digest, OLD.marks,
           OLD.login, OLD.recorded_at, OLD.xid) THEN
        RAISE EXCEPTION 'The audit log only grows: % on % is refused.', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER append_only ON row_changes;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON row_changes
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER only_lose_salts BEFORE UPDATE ON row_changes
    FOR EACH ROW EXECUTE FUNCTION row_changes_only_lose_salts();

-- As before, and a row that is erased gets another salt: what stands there from now on is hashed under that one.
CREATE OR REPLACE FUNCTION log_row_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    IF TG_OP = 'UPDATE' AND current_setting('escrow_desk.erasing', true) = 'on' THEN
        made.salt := gen_random_uuid();
    END IF;
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

-- As text, in JSON and in HTML.
CREATE FUNCTION written_as(word text) RETURNS text[] LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog AS $$
    SELECT ARRAY[word, regexp_replace(to_json(word)::text, '^"|"$', '', 'g'),
                 replace(replace(plain, '"', '&#34;'), '''', '&#39;'),
                 replace(replace(plain, '"', '&quot;'), '''', '&#x27;')]
    FROM replace(replace(replace(word, '&', '&amp;'), '<', '&lt;'), '>', '&gt;') AS plain
$$;

-- A pattern of every name and address that a party ever had here; of nothing where there is none.
CREATE FUNCTION pattern_of(words text[]) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = public, pg_temp AS $$
    SELECT coalesce('(?<!\w)(' || string_agg(DISTINCT regexp_replace(form, '([][\\.^$*+?(){}|-])', '\\\1', 'g'), '|')
                    || ')(?!\w)', 'x\A')
    FROM unnest(words) AS word, unnest(written_as(word)) AS form
    WHERE length(word) > 2 AND word <> 'erased'
$$;

-- What the conditions and values of `personal_data` are about: `e` in them.
CREATE TYPE personal_scope AS (party bigint, projects bigint[], milestones bigint[], cases bigint[], names text, ids text,
    words text[], documents_before timestamptz, at timestamptz);
CREATE FUNCTION scope_of(p_party bigint, p_at timestamptz, p_kept interval) RETURNS personal_scope LANGUAGE plpgsql STABLE
    SET search_path = public, pg_temp AS $$
DECLARE
    e personal_scope;
    whom parties;
    said text[];
BEGIN
    SELECT * INTO whom FROM parties WHERE id = p_party;
    e.party := p_party;
    e.at := p_at;
    e.documents_before := p_at - p_kept;
    SELECT coalesce(array_agg(id), '{}') INTO e.projects FROM projects WHERE p_party IN (payer_id, payee_id);
    SELECT coalesce(array_agg(id), '{}') INTO e.milestones FROM milestones WHERE project_id = ANY (e.projects);
    SELECT coalesce(array_agg(id), '{}') INTO e.cases FROM cases WHERE milestone_id = ANY (e.milestones);
    SELECT array_agg(word) INTO said FROM (
        SELECT whom.name UNION SELECT whom.email UNION
        SELECT before FROM party_changes WHERE party_id = p_party AND field IN ('name', 'email') UNION
        SELECT after FROM party_changes WHERE party_id = p_party AND field IN ('name', 'email')
    ) AS known(word);
    e.names := pattern_of(said);
    e.ids := pattern_of(said || ARRAY[whom.external_id, whom.stripe_customer, whom.stripe_account]);
    -- The longest first, so that no part of one is left; what is as short as a word of every letter is no quotation.
    SELECT coalesce(array_agg(form ORDER BY length(form) DESC), '{}') INTO e.words FROM (
        SELECT DISTINCT form FROM (
            SELECT body FROM messages WHERE author_kind = 'party' AND author_id = p_party UNION
            SELECT details FROM cases WHERE opened_by = p_party AND opened_by_staff IS NULL UNION
            SELECT caption FROM evidence WHERE uploaded_by = p_party UNION
            SELECT file_name FROM evidence WHERE uploaded_by = p_party UNION
            SELECT note FROM settlement_proposals WHERE proposed_by = p_party UNION
            SELECT body FROM project_reviews WHERE author_id = p_party UNION
            SELECT details FROM reports WHERE author_kind = 'party' AND author_id = p_party
        ) AS theirs(words), regexp_split_to_table(words, '\s*\n\s*') AS each_line, unnest(written_as(each_line)) AS form
        WHERE length(each_line) >= 8
    ) AS known;
    RETURN e;
END $$;

-- How many rows of each table hold words of this person, or name them: what `erase_person` would overwrite.
CREATE FUNCTION personal_data_of(p_party bigint) RETURNS jsonb LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    scope CONSTANT personal_scope := scope_of(p_party, 'infinity', '0');
    line record;
    rows_ bigint;
    counted jsonb := '{}';
BEGIN
    FOR line IN SELECT relation, string_agg('(' || whose || ')', ' OR ') AS whose FROM personal_data GROUP BY relation LOOP
        EXECUTE format('SELECT count(*) FROM public.%I r, (SELECT ($1).*) e WHERE %s', line.relation, line.whose)
            INTO rows_ USING scope;
        IF rows_ > 0 THEN
            counted := counted || jsonb_build_object(line.relation, rows_);
        END IF;
    END LOOP;
    RETURN counted;
END $$;

-- What the law keeps of documents: `p_kept` from the day of each. Called again when that is over, it erases those alone.
CREATE FUNCTION erase_person(p_erasure bigint, p_at timestamptz, p_kept interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    what erasures;
    scope personal_scope;
    line personal_data;
    rows_ bigint;
    counted jsonb := '{}';
    since bigint;
    destroyed bigint;
BEGIN
    SELECT * INTO what FROM erasures WHERE id = p_erasure;
    PERFORM FROM parties WHERE id = what.party_id FOR UPDATE;
    SELECT * INTO what FROM erasures WHERE id = p_erasure FOR UPDATE;
    IF what.status IS DISTINCT FROM 'DONE' THEN
        RAISE EXCEPTION 'erasure % was not approved by a second person', p_erasure USING ERRCODE = 'restrict_violation';
    END IF;
    IF what.erased_at IS NOT NULL AND (what.documents_until IS NULL OR what.documents_until > p_at) THEN
        RAISE EXCEPTION 'erasure % was carried out already', p_erasure USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM legal_holds WHERE party_id = what.party_id AND lifted_at IS NULL) THEN
        RAISE EXCEPTION 'party % is under a legal hold', what.party_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF what.erased_at IS NULL AND EXISTS (
        SELECT FROM projects WHERE what.party_id IN (payer_id, payee_id) AND status = 'ACTIVE') THEN
        RAISE EXCEPTION 'a project of party % is open', what.party_id USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE erasures SET xid = pg_current_xact_id() WHERE id = p_erasure;
    SELECT coalesce(max(id), 0) INTO since FROM row_changes WHERE xid = pg_current_xact_id();
    PERFORM set_config('escrow_desk.erasing', 'on', true);

    scope := scope_of(what.party_id, p_at, p_kept);
    FOR line IN SELECT * FROM personal_data WHERE what.erased_at IS NULL OR relation = 'receipts' ORDER BY place LOOP
        EXECUTE format('UPDATE public.%I r SET %s FROM (SELECT ($1).*) e WHERE %s', line.relation, line.sets, line.whose)
            USING scope;
        GET DIAGNOSTICS rows_ = ROW_COUNT;
        IF rows_ > 0 THEN
            counted := counted || jsonb_build_object(line.relation, coalesce((counted ->> line.relation)::bigint, 0) + rows_);
        END IF;
    END LOOP;

    WITH erased AS (
        SELECT relation, row_key, max(id) AS last FROM row_changes
        WHERE xid = pg_current_xact_id() AND id > since AND op = 'update' GROUP BY relation, row_key
    )
    UPDATE row_changes c SET salt = NULL FROM erased
    WHERE c.relation IN (erased.relation, CASE erased.relation WHEN 'settlement_proposals' THEN 'offers' END)  -- their name of before
      AND c.row_key = erased.row_key AND c.id < erased.last AND c.salt IS NOT NULL;
    GET DIAGNOSTICS destroyed = ROW_COUNT;

    PERFORM set_config('escrow_desk.erasing', '', true);
    UPDATE erasures SET
        xid = NULL, erased_at = coalesce(erased_at, p_at), counts = coalesce(counts, '{}') || counted,
        versions = coalesce(versions, 0) + destroyed,
        documents_until = (SELECT max(at) + p_kept FROM receipts
            WHERE payer_id = what.party_id AND payer_name <> 'erased' OR payee_id = what.party_id AND payee_name <> 'erased')
    WHERE id = p_erasure;
END $$;
REVOKE ALL ON FUNCTION without_names, without_words, quotes, written_as, erasing, party_stays_erased, only_the_database_erases, no_project_with_erased,
    banks_stay_erased, row_changes_only_lose_salts, pattern_of, scope_of, personal_data_of, erase_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erasing, personal_data_of, erase_person TO app;
