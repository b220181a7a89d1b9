-- The daily totals of each marketplace, kept by the roll-up as the others are: fees by marketplace are read from them.
-- '' is what belongs to no milestone.
CREATE TABLE marketplace_totals (
    day date NOT NULL,                               -- of posted_at, in UTC
    marketplace text NOT NULL,
    line smallint NOT NULL,
    currency_number smallint NOT NULL,
    kind text NOT NULL,                              -- of the journal
    net numeric(30) NOT NULL,                        -- debits less credits
    PRIMARY KEY (day, marketplace, line, currency_number, kind)
);
GRANT SELECT ON marketplace_totals TO bookkeeper, app, auditor;
GRANT INSERT, UPDATE ON marketplace_totals TO bookkeeper;
GRANT SELECT (id, project_id) ON milestones TO bookkeeper;
GRANT SELECT (id, platform) ON projects TO bookkeeper;

-- Looked up milestone by milestone: what is rolled up is always little, and the planner would take it for a part of all.
CREATE FUNCTION marketplace_of(p_milestone bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(
        (SELECT p.platform FROM milestones m JOIN projects p ON p.id = m.project_id WHERE m.id = p_milestone), '')
$$;
REVOKE ALL ON FUNCTION marketplace_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION marketplace_of TO bookkeeper, app, auditor;

CREATE OR REPLACE FUNCTION roll_up_rows(p_lo xid8, p_hi xid8, p_after bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH closed AS MATERIALIZED (
        SELECT id, kind, (posted_at AT TIME ZONE 'UTC')::date AS day, marketplace_of(milestone_id) AS marketplace,
               account_ids, amounts
        FROM journals WHERE xid >= p_lo AND xid < p_hi AND id > p_after
    ), lines AS MATERIALIZED (
        SELECT j.id, j.kind, j.day, j.marketplace, p.account_id, p.amount
        FROM closed j, unnest(j.account_ids, j.amounts) AS p (account_id, amount)
    ), pages AS (
        INSERT INTO register (account_id, journal_id, amount)
        SELECT account_id, id, amount FROM lines ORDER BY account_id, id
        RETURNING 1
    ), hot AS (
        INSERT INTO hot_balances AS h (account_id, net)
        SELECT account_id, sum(amount) FROM lines WHERE account_id & 131072 <> 0 GROUP BY account_id ORDER BY account_id
        ON CONFLICT (account_id) DO UPDATE SET net = h.net + excluded.net
    ), days AS (
        INSERT INTO daily_totals AS d (day, line, currency_number, kind, debits, credits, postings)
        SELECT day, account_id >> 10 & 255, account_id & 1023, kind,
               coalesce(sum(amount) FILTER (WHERE amount > 0), 0), coalesce(-sum(amount) FILTER (WHERE amount < 0), 0),
               count(*)
        FROM lines GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (day, line, currency_number, kind) DO UPDATE
            SET debits = d.debits + excluded.debits, credits = d.credits + excluded.credits,
                postings = d.postings + excluded.postings
    ), marketplaces AS (
        INSERT INTO marketplace_totals AS t (day, marketplace, line, currency_number, kind, net)
        SELECT day, marketplace, account_id >> 10 & 255, account_id & 1023, kind, sum(amount)
        FROM lines GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (day, marketplace, line, currency_number, kind) DO UPDATE SET net = t.net + excluded.net
    )
    SELECT count(*) FROM pages
$$;

-- What is rolled up already.
INSERT INTO marketplace_totals (day, marketplace, line, currency_number, kind, net)
SELECT (j.posted_at AT TIME ZONE 'UTC')::date, coalesce(p.platform, ''), l.account_id >> 10 & 255, l.account_id & 1023,
       j.kind, sum(l.amount)
FROM ledger_roll_up r
JOIN journals j ON NOT (j.xid >= r.rolled_to AND j.id > r.after_journal)
LEFT JOIN milestones m ON m.id = j.milestone_id LEFT JOIN projects p ON p.id = m.project_id
CROSS JOIN LATERAL unnest(j.account_ids, j.amounts) AS l (account_id, amount)
GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON marketplace_totals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER only_by_posting BEFORE INSERT OR UPDATE ON marketplace_totals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_by_posting();

-- What only a payee's own account at Stripe has is booked in the memorandum book by two people; the break is named.
ALTER TABLE manual_journals ADD COLUMN break_id BIGINT;
ALTER TABLE manual_journals ADD CONSTRAINT manual_journals_break_id_fkey FOREIGN KEY (break_id) REFERENCES breaks (id);
CREATE UNIQUE INDEX manual_journals_break_idx ON manual_journals (break_id)
    WHERE status = 'PROPOSED' AND break_id IS NOT NULL;
DROP TRIGGER manual_journals_keep_words ON manual_journals;
CREATE TRIGGER manual_journals_keep_words BEFORE UPDATE ON manual_journals
    FOR EACH ROW WHEN (
        (OLD.id, OLD.currency, OLD.posted_on, OLD.memo, OLD.reason, OLD.account_codes, OLD.amounts, OLD.reverses_id,
         OLD.reverses_journal_id, OLD.break_id, OLD.attachment_name, OLD.attachment_sha256, OLD.proposed_by,
         OLD.proposed_at)
        IS DISTINCT FROM
        (NEW.id, NEW.currency, NEW.posted_on, NEW.memo, NEW.reason, NEW.account_codes, NEW.amounts, NEW.reverses_id,
         NEW.reverses_journal_id, NEW.break_id, NEW.attachment_name, NEW.attachment_sha256, NEW.proposed_by,
         NEW.proposed_at)
        OR OLD.status <> 'PROPOSED'
    ) EXECUTE FUNCTION refuse_rewrite();
CREATE OR REPLACE FUNCTION check_manual_journal() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM journals j
        WHERE j.id = NEW.journal_id
          AND j.kind IN ('manual_journal', 'manual_journal_reversed', 'journal_reversed', 'refund_never_left',
                         'payee_line_booked')
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
