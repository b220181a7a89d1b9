-- What is held for a marketplace's payers and payable to its payees, by month and kind of journal, kept by the roll-up:
-- a yearly statement reads no more journals than those that are not rolled up yet.
CREATE TABLE marketplace_totals (
    platform text COLLATE "C" NOT NULL,
    month date NOT NULL,                             -- its first day; of posted_at, in UTC
    currency_number smallint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    net numeric(30) NOT NULL,                        -- debits less credits
    PRIMARY KEY (platform, month, currency_number, kind)
);
GRANT SELECT ON marketplace_totals TO bookkeeper, app, auditor;
GRANT INSERT, UPDATE ON marketplace_totals TO bookkeeper;

-- Whose accounts of the lines that are owned by customers: of a milestone (1 to 3) or of a payee (4, 5).
CREATE VIEW marketplace_accounts AS
SELECT a.id, a.line, a.currency, p.platform
FROM accounts a JOIN milestones m ON m.id = a.object_id JOIN projects p ON p.id = m.project_id
WHERE a.line BETWEEN 1 AND 3
UNION ALL
SELECT a.id, a.line, a.currency, q.platform FROM accounts a JOIN parties q ON q.id = a.object_id
WHERE a.line BETWEEN 4 AND 5;
GRANT SELECT ON marketplace_accounts TO bookkeeper, app, auditor;

CREATE OR REPLACE FUNCTION roll_up_rows(p_lo xid8, p_hi xid8, p_after bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH closed AS MATERIALIZED (
        SELECT id, kind, (posted_at AT TIME ZONE 'UTC')::date AS day, account_ids, amounts
        FROM journals WHERE xid >= p_lo AND xid < p_hi AND id > p_after
    ), lines AS MATERIALIZED (
        SELECT j.id, j.kind, j.day, p.account_id, p.amount
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
    ), fees AS (
        INSERT INTO fee_totals AS t (dimension, key, currency_number, day, journals,
                                 platform_fee_revenue, processing_fee_recovery, withdrawal_fee_revenue,
                                 processor_fees, fee_variance, dispute_fees, chargeback_losses, refund_concession,
                                 released)
        SELECT dimension, key, currency_number, day, count(*),
               nullif(sum(platform_fee_revenue), 0), nullif(sum(processing_fee_recovery), 0),
               nullif(sum(withdrawal_fee_revenue), 0), nullif(sum(processor_fees), 0),
               nullif(sum(fee_variance), 0), nullif(sum(dispute_fees), 0), nullif(sum(chargeback_losses), 0),
               nullif(sum(refund_concession), 0), nullif(sum(released), 0)
        FROM fees_of_journals WHERE xid >= p_lo AND xid < p_hi AND journal_id > p_after
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (dimension, currency_number, key, day) DO UPDATE
            SET journals = t.journals + excluded.journals,
                platform_fee_revenue =
                    nullif(coalesce(t.platform_fee_revenue, 0) + coalesce(excluded.platform_fee_revenue, 0), 0),
                processing_fee_recovery =
                    nullif(coalesce(t.processing_fee_recovery, 0) + coalesce(excluded.processing_fee_recovery, 0), 0),
                withdrawal_fee_revenue =
                    nullif(coalesce(t.withdrawal_fee_revenue, 0) + coalesce(excluded.withdrawal_fee_revenue, 0), 0),
                processor_fees = nullif(coalesce(t.processor_fees, 0) + coalesce(excluded.processor_fees, 0), 0),
                fee_variance = nullif(coalesce(t.fee_variance, 0) + coalesce(excluded.fee_variance, 0), 0),
                dispute_fees = nullif(coalesce(t.dispute_fees, 0) + coalesce(excluded.dispute_fees, 0), 0),
                chargeback_losses =
                    nullif(coalesce(t.chargeback_losses, 0) + coalesce(excluded.chargeback_losses, 0), 0),
                refund_concession =
                    nullif(coalesce(t.refund_concession, 0) + coalesce(excluded.refund_concession, 0), 0),
                released = nullif(coalesce(t.released, 0) + coalesce(excluded.released, 0), 0)
    ), theirs AS (
        INSERT INTO marketplace_totals AS m (platform, month, currency_number, kind, net)
        SELECT a.platform, date_trunc('month', l.day)::date, l.account_id & 1023, l.kind, sum(l.amount)
        FROM lines l CROSS JOIN LATERAL (
            SELECT platform FROM marketplace_accounts WHERE id = l.account_id OFFSET 0
        ) a
        WHERE l.account_id >> 10 & 255 BETWEEN 1 AND 5
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (platform, month, currency_number, kind) DO UPDATE SET net = m.net + excluded.net
    )
    SELECT count(*) FROM pages
$$;

-- What is rolled up already.
INSERT INTO marketplace_totals (platform, month, currency_number, kind, net)
SELECT a.platform, date_trunc('month', j.posted_at AT TIME ZONE 'UTC')::date, (l.account_id & 1023)::smallint, j.kind,
       sum(l.amount)
FROM ledger_roll_up r
JOIN journals j ON NOT (j.xid >= r.rolled_to AND j.id > r.after_journal)
CROSS JOIN LATERAL unnest(j.account_ids, j.amounts) AS l (account_id, amount)
JOIN marketplace_accounts a ON a.id = l.account_id
GROUP BY 1, 2, 3, 4;

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON marketplace_totals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER only_by_posting BEFORE INSERT OR UPDATE ON marketplace_totals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_by_posting();
