-- A manual journal can reverse a journal that the desk posted by itself, such as a payout that never reached the bank.
ALTER TABLE manual_journals ADD COLUMN reverses_journal_id BIGINT;
ALTER TABLE manual_journals ADD CONSTRAINT manual_journals_reverses_journal_id_fkey
    FOREIGN KEY (reverses_journal_id) REFERENCES journals (id);
ALTER TABLE manual_journals DISABLE TRIGGER USER;
UPDATE manual_journals m SET reverses_journal_id = o.journal_id FROM manual_journals o WHERE o.id = m.reverses_id;
ALTER TABLE manual_journals ENABLE TRIGGER USER;
INSERT INTO unhashed_content (part, row_id)
SELECT 'manual_journal_reversals', id::text FROM manual_journals WHERE reverses_journal_id IS NOT NULL;
ALTER TABLE manual_journals ADD CONSTRAINT manual_journals_reverses_what_was_posted
    CHECK (reverses_id is null or reverses_journal_id is not null);
-- A journal is reversed once.
DROP INDEX manual_journals_reversed_once_idx;
CREATE UNIQUE INDEX manual_journals_reversed_once_idx ON manual_journals (reverses_journal_id)
    WHERE status in ('PROPOSED', 'POSTED');
DROP TRIGGER manual_journals_keep_words ON manual_journals;
CREATE TRIGGER manual_journals_keep_words BEFORE UPDATE ON manual_journals
    FOR EACH ROW WHEN (
        (OLD.id, OLD.currency, OLD.posted_on, OLD.memo, OLD.reason, OLD.account_codes, OLD.amounts, OLD.reverses_id,
         OLD.reverses_journal_id, OLD.attachment_name, OLD.attachment_sha256, OLD.proposed_by, OLD.proposed_at)
        IS DISTINCT FROM
        (NEW.id, NEW.currency, NEW.posted_on, NEW.memo, NEW.reason, NEW.account_codes, NEW.amounts, NEW.reverses_id,
         NEW.reverses_journal_id, NEW.attachment_name, NEW.attachment_sha256, NEW.proposed_by, NEW.proposed_at)
        OR OLD.status <> 'PROPOSED'
    ) EXECUTE FUNCTION refuse_rewrite();

-- Posted is exactly what was proposed, on the day that was proposed; a reversal is what it reverses, on the other side.
CREATE OR REPLACE FUNCTION check_manual_journal() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM journals j
        WHERE j.id = NEW.journal_id AND j.kind IN ('manual_journal', 'manual_journal_reversed', 'journal_reversed')
          AND (j.posted_at AT TIME ZONE 'UTC')::date = NEW.posted_on
          AND (SELECT array_agg((a.code || ' ' || a.currency || ' ' || p.amount)::text ORDER BY a.code)
               FROM unnest(j.account_ids, j.amounts) AS p (account_id, amount) JOIN accounts a ON a.id = p.account_id)
            = (SELECT array_agg((l.code || ' ' || NEW.currency || ' ' || l.amount)::text ORDER BY l.code)
               FROM unnest(NEW.account_codes::text[], NEW.amounts) AS l (code, amount))
    ) THEN
        RAISE EXCEPTION 'journal % is not what manual journal % proposes', NEW.journal_id, NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.reverses_journal_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM journals j JOIN journals o ON o.id = NEW.reverses_journal_id
        WHERE j.id = NEW.journal_id
          AND (SELECT array_agg(p.account_id || ' ' || p.amount ORDER BY p.account_id)
               FROM unnest(j.account_ids, j.amounts) AS p (account_id, amount))
            = (SELECT array_agg(p.account_id || ' ' || -p.amount ORDER BY p.account_id)
               FROM unnest(o.account_ids, o.amounts) AS p (account_id, amount))
    ) THEN
        RAISE EXCEPTION 'journal % does not reverse journal %', NEW.journal_id, NEW.reverses_journal_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

-- A posting and its reversal are matched with each other; the break of what was reversed is closed as that.
ALTER TABLE bank_matches DROP CONSTRAINT bank_matches_rule;
ALTER TABLE bank_matches ADD CONSTRAINT bank_matches_rule
    CHECK (rule in ('PROVIDER_ID', 'AMOUNT_AND_DATE', 'SUM', 'BOOKED', 'HAND', 'REVERSED'));
ALTER TABLE breaks DROP CONSTRAINT breaks_closed_as;
ALTER TABLE breaks ADD CONSTRAINT breaks_closed_as CHECK (closed_as in ('AGREES', 'EXPLAINED', 'MATCHED', 'REVERSED'));

-- A match by hand can be undone. It stays, with who undid it, why, and what it held together, which is free again.
ALTER TABLE bank_matches ADD COLUMN undone_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE bank_matches ADD COLUMN undone_by BIGINT;
ALTER TABLE bank_matches ADD COLUMN undone_reason VARCHAR;
ALTER TABLE bank_matches ADD COLUMN held_line_ids BIGINT[];
ALTER TABLE bank_matches ADD COLUMN held_journal_ids BIGINT[];
ALTER TABLE bank_matches ADD CONSTRAINT bank_matches_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES staff (id);
ALTER TABLE bank_matches ADD CONSTRAINT bank_matches_undone_by_someone CHECK (
    (undone_at is null) = (undone_by is null) and (undone_at is null) = (undone_reason is null)
    and (undone_at is null) = (held_line_ids is null) and (undone_at is null) = (held_journal_ids is null)
    and (undone_at is null or rule = 'HAND'));
CREATE OR REPLACE FUNCTION refuse_uneven_match() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_match bank_matches := (SELECT m FROM bank_matches m
        WHERE m.id = CASE WHEN TG_OP = 'DELETE' THEN OLD.match_id ELSE NEW.match_id END);
    v_account bank_accounts := (SELECT a FROM bank_accounts a WHERE a.id = v_match.account_id);
    v_number bigint := account_number('bank', v_account.currency);
BEGIN
    IF v_match.undone_at IS NOT NULL THEN
        IF EXISTS (SELECT FROM bank_match_lines WHERE match_id = v_match.id)
            OR EXISTS (SELECT FROM bank_match_postings WHERE match_id = v_match.id) THEN
            RAISE EXCEPTION 'Match % is undone, and holds nothing', v_match.id USING ERRCODE = 'check_violation';
        END IF;
    ELSIF EXISTS (
        SELECT FROM bank_match_lines x JOIN bank_statement_lines l ON l.id = x.line_id
        WHERE x.match_id = v_match.id AND (l.account_id <> v_account.id OR l.repeats_id IS NOT NULL)
    ) OR EXISTS (
        SELECT FROM bank_match_postings x JOIN journals j ON j.id = x.journal_id
        WHERE x.match_id = v_match.id AND (x.currency <> v_account.currency
            OR x.amount_minor IS DISTINCT FROM j.amounts[array_position(j.account_ids, v_number)])
    ) OR (
        SELECT coalesce(sum(l.amount_minor), 0) FROM bank_match_lines x JOIN bank_statement_lines l ON l.id = x.line_id
        WHERE x.match_id = v_match.id
    ) <> (SELECT coalesce(sum(amount_minor), 0) FROM bank_match_postings WHERE match_id = v_match.id)
    OR NOT EXISTS (SELECT FROM bank_match_postings WHERE match_id = v_match.id) THEN
        RAISE EXCEPTION 'Match % does not sum to the same on both sides', v_match.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER bank_match_lines_even ON bank_match_lines;
DROP TRIGGER bank_match_postings_even ON bank_match_postings;
CREATE CONSTRAINT TRIGGER bank_match_lines_even AFTER INSERT OR UPDATE OR DELETE ON bank_match_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_uneven_match();
CREATE CONSTRAINT TRIGGER bank_match_postings_even AFTER INSERT OR UPDATE OR DELETE ON bank_match_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_uneven_match();
CREATE FUNCTION undo_match() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_open_from timestamptz := (SELECT open_from FROM ledger_lock);
BEGIN
    IF OLD.undone_at IS NOT NULL THEN
        RAISE EXCEPTION 'Match % was undone and stays so', OLD.id USING ERRCODE = 'check_violation';
    ELSIF EXISTS (
        SELECT FROM bank_match_postings x JOIN journals j ON j.id = x.journal_id
        WHERE x.match_id = OLD.id AND j.posted_at < v_open_from
    ) OR EXISTS (
        SELECT FROM bank_match_lines x JOIN bank_statement_lines l ON l.id = x.line_id
        WHERE x.match_id = OLD.id AND l.booked_on AT TIME ZONE 'UTC' < v_open_from
    ) THEN
        RAISE EXCEPTION 'Match % is of a closed period', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    WITH freed AS (DELETE FROM bank_match_lines WHERE match_id = OLD.id RETURNING line_id)
    SELECT coalesce(array_agg(line_id ORDER BY line_id), '{}') INTO NEW.held_line_ids FROM freed;
    WITH freed AS (DELETE FROM bank_match_postings WHERE match_id = OLD.id RETURNING journal_id)
    SELECT coalesce(array_agg(journal_id ORDER BY journal_id), '{}') INTO NEW.held_journal_ids FROM freed;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION undo_match FROM PUBLIC;
CREATE TRIGGER bank_matches_undone BEFORE UPDATE ON bank_matches FOR EACH ROW EXECUTE FUNCTION undo_match();
GRANT UPDATE (undone_at, undone_by, undone_reason) ON bank_matches TO app;

-- What a match differed by leaves suspense with it.
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_status;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_status CHECK (status in ('OPEN', 'SETTLED', 'REVERSED'));
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_bank_line_id_key;
CREATE UNIQUE INDEX suspense_items_bank_line_id_key ON suspense_items (bank_line_id) WHERE status <> 'REVERSED';
INSERT INTO status_moves (relation, from_status, to_status) VALUES ('suspense_items', 'OPEN', 'REVERSED');
