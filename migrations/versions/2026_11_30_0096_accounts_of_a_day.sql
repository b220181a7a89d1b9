-- The daily totals know the highest account that was posted to: whoever asks for the accounts of a line as of an earlier
-- day begins there, and walks past none that was opened later.
ALTER TABLE daily_totals ADD COLUMN last_account bigint;
ALTER TABLE daily_totals DISABLE TRIGGER only_by_posting;
UPDATE daily_totals d SET last_account = p.last_account
FROM (
    SELECT (j.posted_at AT TIME ZONE 'UTC')::date AS day, (l.account_id >> 10 & 255)::smallint AS line,
           (l.account_id & 1023)::smallint AS currency_number, j.kind, max(l.account_id) AS last_account
    FROM ledger_roll_up r
    JOIN journals j ON NOT (j.xid >= r.rolled_to AND j.id > r.after_journal)
    CROSS JOIN LATERAL unnest(j.account_ids) AS l (account_id)
    GROUP BY 1, 2, 3, 4
) p
WHERE (d.day, d.line, d.currency_number, d.kind) = (p.day, p.line, p.currency_number, p.kind);
ALTER TABLE daily_totals ENABLE TRIGGER only_by_posting;
ALTER TABLE daily_totals ALTER COLUMN last_account SET NOT NULL;

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
        INSERT INTO daily_totals AS d (day, line, currency_number, kind, debits, credits, postings, first_journal,
                                       last_journal, last_account)
        SELECT day, account_id >> 10 & 255, account_id & 1023, kind,
               coalesce(sum(amount) FILTER (WHERE amount > 0), 0), coalesce(-sum(amount) FILTER (WHERE amount < 0), 0),
               count(*), min(id), max(id), max(account_id)
        FROM lines GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (day, line, currency_number, kind) DO UPDATE
            SET debits = d.debits + excluded.debits, credits = d.credits + excluded.credits,
                postings = d.postings + excluded.postings,
                first_journal = least(d.first_journal, excluded.first_journal),
                last_journal = greatest(d.last_journal, excluded.last_journal),
                last_account = greatest(d.last_account, excluded.last_account)
    ), marketplaces AS (
        INSERT INTO marketplace_totals AS t (day, marketplace, line, currency_number, kind, net)
        SELECT day, marketplace, account_id >> 10 & 255, account_id & 1023, kind, sum(amount)
        FROM lines GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (day, marketplace, line, currency_number, kind) DO UPDATE SET net = t.net + excluded.net
    )
    SELECT count(*) FROM pages
$$;
