-- Days and months of the books are closed. What is closed gets no journal any more: whatever is posted for a closed day
-- goes to the first open one, and says for when it is.

-- Whoever posts reads this row, and so holds the table shared until the transaction ends; whoever closes takes the table
-- for itself. So no journal of a closed day is on its way, and posting costs no lock of its own.
CREATE TABLE ledger_lock (
    only_row BOOLEAN PRIMARY KEY DEFAULT true,
    open_from TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT '-infinity',
    CONSTRAINT ledger_lock_only_row_check CHECK (only_row)
);
INSERT INTO ledger_lock DEFAULT VALUES;

CREATE TABLE periods (
    id BIGSERIAL NOT NULL,
    kind VARCHAR NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    status VARCHAR NOT NULL,
    closed_by BIGINT,
    closed_via VARCHAR,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    explanation VARCHAR NOT NULL,
    last_journal BIGINT NOT NULL,
    summary JSONB NOT NULL,
    reopening_id BIGINT,                               -- of period_reopenings; the trigger below holds it
    CONSTRAINT periods_pkey PRIMARY KEY (id),
    CONSTRAINT periods_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES staff (id),
    CONSTRAINT periods_kind CHECK (kind in ('DAY', 'MONTH')),
    CONSTRAINT periods_status CHECK (status in ('CLOSED', 'REOPENED')),
    CONSTRAINT periods_whole CHECK (case kind when 'DAY' then first_day = last_day
        else first_day = date_trunc('month', first_day)::date
             and last_day = (date_trunc('month', first_day) + interval '1 month - 1 day')::date end),
    CONSTRAINT periods_by_someone CHECK (closed_by is not null or closed_via is not null),
    CONSTRAINT periods_over CHECK (closed_at >= (last_day + 1)::timestamp at time zone 'UTC'),
    CONSTRAINT periods_reopened CHECK ((status = 'REOPENED') = (reopening_id is not null))
);
CREATE UNIQUE INDEX periods_closed_once_idx ON periods (kind, first_day) WHERE status = 'CLOSED';
CREATE INDEX periods_last_idx ON periods (last_day);

CREATE TABLE period_reopenings (
    id BIGSERIAL NOT NULL,
    period_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR DEFAULT 'PROPOSED' NOT NULL,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    CONSTRAINT period_reopenings_pkey PRIMARY KEY (id),
    CONSTRAINT period_reopenings_period_id_fkey FOREIGN KEY (period_id) REFERENCES periods (id),
    CONSTRAINT period_reopenings_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT period_reopenings_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT period_reopenings_status CHECK (status in ('PROPOSED', 'DONE', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    CONSTRAINT period_reopenings_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null)
        and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    CONSTRAINT period_reopenings_two_people CHECK (status not in ('DONE', 'REJECTED') or settled_by <> proposed_by)
);
CREATE UNIQUE INDEX period_reopenings_one_open_idx ON period_reopenings (period_id) WHERE status = 'PROPOSED';

-- For whoever closes or reopens: from here to the end of the transaction nothing is posted.
CREATE FUNCTION hold_ledger() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
    LOCK TABLE ledger_lock IN ACCESS EXCLUSIVE MODE;
END
$$;
REVOKE ALL ON FUNCTION hold_ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_ledger TO app;

-- A period that is closed moves the lock, and nothing else does.
CREATE FUNCTION close_ledger() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_open timestamptz;
BEGIN
    LOCK TABLE ledger_lock IN ACCESS EXCLUSIVE MODE;
    SELECT open_from INTO v_open FROM ledger_lock;
    IF NEW.status <> 'CLOSED' THEN
        RAISE EXCEPTION 'a period begins as closed' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.first_day::timestamp AT TIME ZONE 'UTC' > v_open AND v_open > '-infinity' THEN
        RAISE EXCEPTION 'period % to % does not follow what is closed, which ends before %',
            NEW.first_day, NEW.last_day, v_open USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.last_journal <> (SELECT coalesce(max(id), 0) FROM journals) THEN
        RAISE EXCEPTION 'period % to % was added up before its last journal', NEW.first_day, NEW.last_day
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE ledger_lock SET open_from = greatest(open_from, (NEW.last_day + 1)::timestamp AT TIME ZONE 'UTC');
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION close_ledger() FROM PUBLIC;
CREATE TRIGGER periods_close_the_ledger BEFORE INSERT ON periods FOR EACH ROW EXECUTE FUNCTION close_ledger();

-- Two people have reopened it, or a period before it: the ledger is open from its first day.
CREATE FUNCTION reopen_ledger() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE ledger_lock IN ACCESS EXCLUSIVE MODE;
    IF NOT EXISTS (
        SELECT FROM period_reopenings r JOIN periods p ON p.id = r.period_id
        WHERE r.id = NEW.reopening_id AND r.status = 'DONE' AND NEW.last_day >= p.first_day
    ) THEN
        RAISE EXCEPTION 'period % to % is reopened by two people only', NEW.first_day, NEW.last_day
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE ledger_lock SET open_from = least(open_from, (
        SELECT p.first_day FROM period_reopenings r JOIN periods p ON p.id = r.period_id WHERE r.id = NEW.reopening_id
    )::timestamp AT TIME ZONE 'UTC');
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION reopen_ledger() FROM PUBLIC;
CREATE TRIGGER periods_reopen_the_ledger BEFORE UPDATE OF status ON periods FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION reopen_ledger();
CREATE TRIGGER periods_keep_words BEFORE UPDATE ON periods
    FOR EACH ROW WHEN (
        (OLD.id, OLD.kind, OLD.first_day, OLD.last_day, OLD.closed_by, OLD.closed_via, OLD.closed_at, OLD.explanation,
         OLD.last_journal, OLD.summary)
        IS DISTINCT FROM
        (NEW.id, NEW.kind, NEW.first_day, NEW.last_day, NEW.closed_by, NEW.closed_via, NEW.closed_at, NEW.explanation,
         NEW.last_journal, NEW.summary)
        OR OLD.status = 'REOPENED'
    ) EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER periods_stay BEFORE DELETE OR TRUNCATE ON periods FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER period_reopenings_keep_words BEFORE UPDATE ON period_reopenings
    FOR EACH ROW WHEN (
        (OLD.id, OLD.period_id, OLD.reason, OLD.proposed_by, OLD.proposed_at)
        IS DISTINCT FROM (NEW.id, NEW.period_id, NEW.reason, NEW.proposed_by, NEW.proposed_at)
        OR OLD.status <> 'PROPOSED'
    ) EXECUTE FUNCTION refuse_rewrite();

INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('periods', 'CLOSED', 'REOPENED'),
    ('period_reopenings', 'PROPOSED', 'DONE'), ('period_reopenings', 'PROPOSED', 'REJECTED'),
    ('period_reopenings', 'PROPOSED', 'WITHDRAWN'), ('period_reopenings', 'PROPOSED', 'RETURNED');
CREATE TRIGGER periods_legal_move BEFORE UPDATE OF status ON periods FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER periods_recorded AFTER UPDATE OF status ON periods DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('period', 'status', 'id');
CREATE TRIGGER period_reopenings_legal_move BEFORE UPDATE OF status ON period_reopenings FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER period_reopenings_recorded AFTER UPDATE OF status ON period_reopenings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('period_reopening', 'status', 'id');
CREATE TRIGGER period_reopenings_stand_on_their_maker BEFORE UPDATE OF status ON period_reopenings FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'finance', 'administrator');

GRANT SELECT ON ledger_lock TO bookkeeper, app, auditor;
GRANT SELECT, INSERT ON periods, period_reopenings TO app;
GRANT UPDATE (status, reopening_id) ON periods TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON period_reopenings TO app;
GRANT SELECT ON periods, period_reopenings TO auditor;
GRANT USAGE ON SEQUENCE periods_id_seq, period_reopenings_id_seq TO app;

-- What a person dates is refused in a closed period; what comes to light by itself is posted late, and says so.
CREATE FUNCTION late_cause(p_kind text, p_cause jsonb, p_posted_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    IF p_kind IN ('manual_journal', 'manual_journal_reversed') THEN
        RAISE EXCEPTION 'The period of % is closed.', p_posted_at USING ERRCODE = 'LD007',
            DETAIL = json_build_object('posted_at', p_posted_at);
    END IF;
    RETURN p_cause || jsonb_build_object('late_for', p_posted_at);
END
$$;
REVOKE ALL ON FUNCTION late_cause FROM PUBLIC;
GRANT EXECUTE ON FUNCTION late_cause TO bookkeeper;

CREATE OR REPLACE FUNCTION journal_again(
    p_key text, p_kind text, p_accounts bigint[], p_amounts bigint[], p_milestone_id bigint, p_party_id bigint,
    p_memo text, p_cause jsonb
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_journal journals;
    v_when text[] := '{late_for,of_day}';    -- when it was booked, which may differ from one attempt to the next
BEGIN
    SELECT * INTO STRICT v_journal FROM journals WHERE key = p_key;
    IF (v_journal.kind, v_journal.account_ids, v_journal.amounts, v_journal.milestone_id, v_journal.party_id,
        v_journal.memo, v_journal.cause - v_when)
       IS DISTINCT FROM (p_kind, p_accounts, p_amounts, p_milestone_id, p_party_id, p_memo, p_cause - v_when) THEN
        RAISE EXCEPTION 'The key % was used for another journal.', p_key
            USING ERRCODE = 'LD004', DETAIL = json_build_object('key', p_key, 'journal_id', v_journal.id);
    END IF;
    RETURN v_journal.id;
END $$;

-- As before, but for the lock: read in the statement that writes, so that it costs no expression of its own.
CREATE OR REPLACE FUNCTION post_journal(
    p_key text, p_kind text, p_accounts bigint[], p_amounts bigint[], p_milestone_id bigint, p_party_id bigint,
    p_memo text, p_cause jsonb, p_posted_at timestamptz
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_id bigint;
    v_account bigint;
    v_amount bigint;
    v_before bigint := 0;
    v_sum bigint := 0;
BEGIN
    INSERT INTO journals (key, kind, milestone_id, party_id, memo, cause, account_ids, amounts, posted_at)
    SELECT p_key, p_kind, p_milestone_id, p_party_id, p_memo,
           CASE WHEN p_posted_at < l.open_from THEN late_cause(p_kind, p_cause, p_posted_at) ELSE p_cause END,
           p_accounts, p_amounts, greatest(p_posted_at, l.open_from)
    FROM ledger_lock l
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        RETURN journal_again(p_key, p_kind, p_accounts, p_amounts, p_milestone_id, p_party_id, p_memo, p_cause);
    END IF;
    FOR i IN 1 .. cardinality(p_accounts) LOOP
        v_account := p_accounts[i];
        v_amount := p_amounts[i];
        IF (v_account > v_before AND (v_account # p_accounts[1]) & 66559 = 0 AND v_amount <> 0) IS NOT TRUE THEN
            RAISE EXCEPTION 'Posting % of % is malformed.', i, p_key USING ERRCODE = 'LD002';
        END IF;
        IF v_account & 131072 = 0 THEN
            UPDATE balances SET balance = balance + v_amount * side
             WHERE account_id = v_account AND balance + v_amount * side >= 0;
            IF NOT FOUND THEN
                PERFORM post_late(v_account, v_amount);
            END IF;
        ELSIF v_account > 143359 THEN
            PERFORM open_account(v_account) WHERE NOT EXISTS (SELECT FROM accounts WHERE id = v_account);
        END IF;
        v_before := v_account;
        v_sum := v_sum + v_amount;
    END LOOP;
    IF (v_sum = 0 AND cardinality(p_accounts) >= 2 AND cardinality(p_amounts) = cardinality(p_accounts)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'The postings of % do not cancel out.', p_key USING ERRCODE = 'LD001',
            DETAIL = json_build_object('key', p_key, 'off_by', v_sum);
    END IF;
    IF v_account <= 143359 THEN
        PERFORM open_account(v_account) WHERE NOT EXISTS (SELECT FROM accounts WHERE id = v_account);
    END IF;
    RETURN v_id;
END $$;
