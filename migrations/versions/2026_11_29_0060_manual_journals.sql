-- Manual journals: one person proposes the lines, another approves them, and they are posted as they were proposed.
CREATE TABLE manual_journals (
    id BIGSERIAL NOT NULL,
    currency VARCHAR NOT NULL,
    posted_on DATE NOT NULL,
    memo VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    account_codes VARCHAR[] NOT NULL,
    amounts BIGINT[] NOT NULL,                       -- debits > 0, credits < 0, as the accounts
    reverses_id BIGINT,
    attachment_name VARCHAR,
    attachment_sha256 VARCHAR,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR DEFAULT 'PROPOSED' NOT NULL,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    journal_id BIGINT,
    CONSTRAINT manual_journals_pkey PRIMARY KEY (id),
    CONSTRAINT manual_journals_journal_id_key UNIQUE (journal_id),
    CONSTRAINT manual_journals_reverses_id_fkey FOREIGN KEY (reverses_id) REFERENCES manual_journals (id),
    CONSTRAINT manual_journals_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT manual_journals_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT manual_journals_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES journals (id),
    CONSTRAINT manual_journals_status CHECK (status in ('PROPOSED', 'POSTED', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    CONSTRAINT manual_journals_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null)
        and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    CONSTRAINT manual_journals_two_people CHECK (status not in ('POSTED', 'REJECTED') or settled_by <> proposed_by),
    CONSTRAINT manual_journals_posted CHECK ((status = 'POSTED') = (journal_id is not null)),
    CONSTRAINT manual_journals_lines CHECK (cardinality(account_codes) = cardinality(amounts) and cardinality(amounts) >= 2),
    CONSTRAINT manual_journals_attached CHECK ((attachment_name is null) = (attachment_sha256 is null)),
    CONSTRAINT manual_journals_reverses_another CHECK (reverses_id < id)
);
-- A journal is reversed once.
CREATE UNIQUE INDEX manual_journals_reversed_once_idx ON manual_journals (reverses_id)
    WHERE status in ('PROPOSED', 'POSTED');
CREATE INDEX manual_journals_waiting_idx ON manual_journals (posted_on) WHERE status = 'PROPOSED';
CREATE TRIGGER manual_journals_keep_words BEFORE UPDATE ON manual_journals
    FOR EACH ROW WHEN (
        (OLD.id, OLD.currency, OLD.posted_on, OLD.memo, OLD.reason, OLD.account_codes, OLD.amounts, OLD.reverses_id,
         OLD.attachment_name, OLD.attachment_sha256, OLD.proposed_by, OLD.proposed_at)
        IS DISTINCT FROM
        (NEW.id, NEW.currency, NEW.posted_on, NEW.memo, NEW.reason, NEW.account_codes, NEW.amounts, NEW.reverses_id,
         NEW.attachment_name, NEW.attachment_sha256, NEW.proposed_by, NEW.proposed_at)
        OR OLD.status <> 'PROPOSED'
    ) EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER manual_journals_stay BEFORE DELETE OR TRUNCATE ON manual_journals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Posted is exactly what was proposed, on the day that was proposed.
CREATE FUNCTION check_manual_journal() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM journals j
        WHERE j.id = NEW.journal_id AND j.kind IN ('manual_journal', 'manual_journal_reversed')
          AND (j.posted_at AT TIME ZONE 'UTC')::date = NEW.posted_on
          AND (SELECT array_agg((a.code || ' ' || a.currency || ' ' || p.amount)::text ORDER BY a.code)
               FROM unnest(j.account_ids, j.amounts) AS p (account_id, amount) JOIN accounts a ON a.id = p.account_id)
            = (SELECT array_agg((l.code || ' ' || NEW.currency || ' ' || l.amount)::text ORDER BY l.code)
               FROM unnest(NEW.account_codes::text[], NEW.amounts) AS l (code, amount))
    ) THEN
        RAISE EXCEPTION 'journal % is not what manual journal % proposes', NEW.journal_id, NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION check_manual_journal() FROM PUBLIC;
CREATE TRIGGER manual_journals_post_what_was_proposed BEFORE UPDATE OF status ON manual_journals FOR EACH ROW
    WHEN (NEW.status = 'POSTED') EXECUTE FUNCTION check_manual_journal();

INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('manual_journals', 'PROPOSED', 'POSTED'), ('manual_journals', 'PROPOSED', 'REJECTED'),
    ('manual_journals', 'PROPOSED', 'WITHDRAWN'), ('manual_journals', 'PROPOSED', 'RETURNED');
CREATE TRIGGER manual_journals_legal_move BEFORE UPDATE OF status ON manual_journals FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER manual_journals_recorded AFTER UPDATE OF status ON manual_journals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('manual_journal', 'status', 'id');
CREATE TRIGGER manual_journals_stand_on_their_maker BEFORE UPDATE OF status ON manual_journals FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'POSTED')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'finance');

GRANT SELECT, INSERT ON manual_journals TO app;
GRANT UPDATE (status, settled_by, settled_at, note, journal_id) ON manual_journals TO app;
GRANT SELECT ON manual_journals TO auditor;
GRANT USAGE ON SEQUENCE manual_journals_id_seq TO app;
