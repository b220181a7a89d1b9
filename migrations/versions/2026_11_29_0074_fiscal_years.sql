-- A fiscal year is closed after its months: what was earned and spent moves into retained earnings, at its last moment.

ALTER TABLE periods DROP CONSTRAINT periods_kind, DROP CONSTRAINT periods_whole;
ALTER TABLE periods
    ADD CONSTRAINT periods_kind CHECK (kind in ('DAY', 'MONTH', 'YEAR')),
    ADD CONSTRAINT periods_whole CHECK (case kind when 'DAY' then first_day = last_day
        when 'MONTH' then first_day = date_trunc('month', first_day)::date
             and last_day = (date_trunc('month', first_day) + interval '1 month - 1 day')::date
        else first_day = date_trunc('month', first_day)::date
             and last_day = (date_trunc('month', first_day) + interval '1 year - 1 day')::date end);

-- The closing entry of each currency, and what took it back when the year was reopened.
CREATE TABLE year_end_entries (
    journal_id BIGINT NOT NULL,
    period_id BIGINT NOT NULL,
    reversal_id BIGINT,
    CONSTRAINT year_end_entries_pkey PRIMARY KEY (journal_id),
    CONSTRAINT year_end_entries_reversal_id_key UNIQUE (reversal_id),
    CONSTRAINT year_end_entries_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES journals (id),
    CONSTRAINT year_end_entries_reversal_id_fkey FOREIGN KEY (reversal_id) REFERENCES journals (id),
    CONSTRAINT year_end_entries_period_id_fkey FOREIGN KEY (period_id) REFERENCES periods (id)
);
CREATE INDEX year_end_entries_period_idx ON year_end_entries (period_id);

-- The only posting into days that are closed: nothing else is posted meanwhile, and the lock is as it was afterwards.
CREATE FUNCTION post_year_end(
    p_key text, p_kind text, p_accounts bigint[], p_amounts bigint[], p_memo text, p_cause jsonb, p_last_day date
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    v_moment timestamptz := (p_last_day + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond';
    v_open timestamptz;
    v_id bigint;
BEGIN
    IF p_kind NOT IN ('year_closed', 'year_reopened') THEN
        RAISE EXCEPTION 'A journal of kind % is posted on open days only.', p_kind USING ERRCODE = 'check_violation';
    END IF;
    LOCK TABLE ledger_lock IN ACCESS EXCLUSIVE MODE;
    SELECT open_from INTO v_open FROM ledger_lock;
    UPDATE ledger_lock SET open_from = least(v_open, v_moment);
    v_id := post_journal(p_key, p_kind, p_accounts, p_amounts, NULL, NULL, p_memo, p_cause, v_moment);
    UPDATE ledger_lock SET open_from = v_open;
    RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION post_year_end FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_year_end TO app;

-- Reports leave closing entries out of the year that they close, so none may be there but of a year that is closed.
CREATE FUNCTION check_year_end_journal() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM year_end_entries e JOIN periods p ON p.id = e.period_id
        WHERE NEW.id = CASE NEW.kind WHEN 'year_closed' THEN e.journal_id ELSE e.reversal_id END
          AND NEW.posted_at = (p.last_day + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond'
    ) THEN
        RAISE EXCEPTION 'journal % closes no fiscal year', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION check_year_end_journal() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER journals_of_a_year_end AFTER INSERT ON journals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.kind IN ('year_closed', 'year_reopened')) EXECUTE FUNCTION check_year_end_journal();

CREATE FUNCTION check_year_end_entry() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.reversal_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM periods p JOIN journals j ON j.id = NEW.journal_id
            WHERE p.id = NEW.period_id AND p.kind = 'YEAR' AND p.status = 'CLOSED' AND j.kind = 'year_closed'
              AND j.id <= p.last_journal
        ) THEN
            RAISE EXCEPTION 'journal % closes no fiscal year', NEW.journal_id USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (NEW.journal_id, NEW.period_id) IS DISTINCT FROM (OLD.journal_id, OLD.period_id)
          OR OLD.reversal_id IS NOT NULL OR NOT EXISTS (
        SELECT FROM journals j JOIN journals r ON r.id = NEW.reversal_id
        WHERE j.id = NEW.journal_id AND r.kind = 'year_reopened' AND r.account_ids = j.account_ids
          AND r.amounts = ARRAY(SELECT -a FROM unnest(j.amounts) WITH ORDINALITY AS u (a, n) ORDER BY n)
    ) THEN
        RAISE EXCEPTION 'journal % does not take back closing entry %', NEW.reversal_id, NEW.journal_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION check_year_end_entry() FROM PUBLIC;
CREATE TRIGGER year_end_entries_fit BEFORE INSERT OR UPDATE ON year_end_entries
    FOR EACH ROW EXECUTE FUNCTION check_year_end_entry();
CREATE TRIGGER year_end_entries_stay BEFORE DELETE OR TRUNCATE ON year_end_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- A year is closed when its last day is, before any later year, and leaves nothing on income and expense.
CREATE FUNCTION check_year_end() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- As it is when the transaction ends, whatever it was in between.
    IF (SELECT status FROM periods WHERE id = NEW.id) = 'REOPENED' THEN
        IF EXISTS (SELECT FROM year_end_entries WHERE period_id = NEW.id AND reversal_id IS NULL) THEN
            RAISE EXCEPTION 'the closing entries of period % were not taken back', NEW.id
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_lock WHERE open_from > NEW.last_day::timestamp AT TIME ZONE 'UTC')
       OR EXISTS (SELECT FROM periods
                  WHERE kind = 'YEAR' AND status = 'CLOSED' AND id <> NEW.id AND last_day >= NEW.first_day
                    AND id < NEW.id) THEN
        RAISE EXCEPTION 'fiscal year % to % is not next to be closed', NEW.first_day, NEW.last_day
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (
            SELECT line, currency_number, debits - credits AS net FROM daily_totals WHERE day <= NEW.last_day
            UNION ALL
            SELECT (t.account_id >> 10 & 255)::smallint, (t.account_id & 1023)::smallint, t.amount
            FROM posting_tail t JOIN journals j ON j.id = t.journal_id
            WHERE j.posted_at < (NEW.last_day + 1)::timestamp AT TIME ZONE 'UTC'
        ) m JOIN chart c ON c.line = m.line
        WHERE c.kind IN ('income', 'expense')
        GROUP BY m.line, m.currency_number HAVING sum(m.net) <> 0
    ) THEN
        RAISE EXCEPTION 'fiscal year % to % leaves income or expenses that are not retained', NEW.first_day, NEW.last_day
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION check_year_end() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER periods_end_a_year AFTER INSERT OR UPDATE OF status ON periods
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'YEAR') EXECUTE FUNCTION check_year_end();

GRANT SELECT, INSERT ON year_end_entries TO app;
GRANT UPDATE (reversal_id) ON year_end_entries TO app;
GRANT SELECT ON year_end_entries TO auditor;
