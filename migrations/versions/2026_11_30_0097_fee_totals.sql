-- Fees of each marketplace, project, payer, payee, payment method and payout method by day, kept by the roll-up:
-- whoever reads fees broken down reads no more journals than those that are not rolled up yet. Takes the place of
-- marketplace_totals.
CREATE TABLE fee_totals (
    dimension text COLLATE "C" NOT NULL,             -- platform, project, payer, payee, payment_method or method
    key text COLLATE "C" NOT NULL,                   -- its name or number; '' is what belongs to none
    currency_number smallint NOT NULL,
    day date NOT NULL,                               -- of posted_at, in UTC
    journals bigint NOT NULL,
    -- Debits less credits; NULL is nothing.
    platform_fee_revenue bigint,
    processing_fee_recovery bigint,
    withdrawal_fee_revenue bigint,
    processor_fees bigint,
    fee_variance bigint,
    dispute_fees bigint,
    chargeback_losses bigint,
    refund_concession bigint,
    released bigint,                                    -- to payees, by decisions and approvals
    PRIMARY KEY (dimension, currency_number, key, day)
);
-- Numbers in their order: a longer one is larger.
CREATE INDEX fee_totals_day_idx ON fee_totals (dimension, currency_number, day, length(key), key);
GRANT SELECT ON fee_totals TO bookkeeper, app, auditor;
GRANT INSERT, UPDATE ON fee_totals TO bookkeeper;

-- What each journal earned, cost and released, once for each dimension. What belongs to a journal is looked up journal
-- by journal (OFFSET 0): what is rolled up is always little, and the planner would take it for a part of all.
CREATE VIEW fees_of_journals AS
SELECT j.id AS journal_id, j.xid, j.milestone_id, j.posted_at, (j.posted_at AT TIME ZONE 'UTC')::date AS day,
       d.dimension, coalesce(d.key, '') AS key, f.*
FROM journals j
CROSS JOIN LATERAL (
    SELECT (min(account_id) & 1023)::smallint AS currency_number,
           sum(amount) FILTER (WHERE line = 130) AS platform_fee_revenue,
           sum(amount) FILTER (WHERE line = 131) AS processing_fee_recovery,
           sum(amount) FILTER (WHERE line = 132) AS withdrawal_fee_revenue,
           sum(amount) FILTER (WHERE line = 133) AS processor_fees,
           sum(amount) FILTER (WHERE line = 134) AS fee_variance,
           sum(amount) FILTER (WHERE line = 135) AS dispute_fees,
           sum(amount) FILTER (WHERE line = 136) AS chargeback_losses,
           sum(amount) FILTER (WHERE line = 137) AS refund_concession,
           sum(amount) FILTER (WHERE line = 4) AS released
    FROM (SELECT account_id, account_id >> 10 & 255 AS line, amount
          FROM unnest(j.account_ids, j.amounts) AS p (account_id, amount)) l
    WHERE line BETWEEN 130 AND 137 OR line = 4 AND j.kind = 'decided'
    HAVING count(*) > 0
) f
CROSS JOIN LATERAL (
    SELECT v.dimension, v.key
    FROM (SELECT) once
    LEFT JOIN LATERAL (
        SELECT p.platform, p.id, p.payer_id, p.payee_id FROM milestones m JOIN projects p ON p.id = m.project_id
        WHERE m.id = j.milestone_id OFFSET 0
    ) p ON true
    CROSS JOIN LATERAL (
        VALUES ('platform', p.platform), ('project', p.id::text), ('payer', p.payer_id::text),
               ('payee', p.payee_id::text)
    ) v (dimension, key)
    UNION ALL
    -- Of the charge that the entry is of, else of the one that funded its milestone.
    SELECT 'payment_method', (
        SELECT json_build_array(c.method_kind, c.card_brand, c.card_funding, c.method_country)::text
        FROM charges c JOIN outgoing_operations o ON o.id = c.operation_id
        LEFT JOIN payment_orders f ON f.milestone_id = c.milestone_id
        WHERE c.milestone_id = j.milestone_id AND c.status = 'SUCCEEDED'
        ORDER BY o.key = coalesce(j.cause ->> 'operation', '') DESC,
                 o.provider_id IS NOT DISTINCT FROM f.stripe_payment_intent DESC, c.id
        LIMIT 1
    )
    UNION ALL
    SELECT 'method', (
        SELECT o.method FROM payouts o
        WHERE o.milestone_id = j.milestone_id
          AND (o.stripe_transfer = j.cause ->> 'transfer' OR o.id::text = j.cause ->> 'payout')
        LIMIT 1
    )
) d
WHERE j.kind NOT IN ('year_closed', 'year_reopened');
GRANT SELECT ON fees_of_journals TO bookkeeper, app, auditor;

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
    )
    SELECT count(*) FROM pages
$$;

DROP TABLE marketplace_totals;
DROP FUNCTION marketplace_of;

-- What is rolled up already.
INSERT INTO fee_totals (dimension, key, currency_number, day, journals,
                        platform_fee_revenue, processing_fee_recovery, withdrawal_fee_revenue, processor_fees,
                        fee_variance, dispute_fees, chargeback_losses, refund_concession, released)
SELECT f.dimension, f.key, f.currency_number, f.day, count(*),
       nullif(sum(f.platform_fee_revenue), 0), nullif(sum(f.processing_fee_recovery), 0),
       nullif(sum(f.withdrawal_fee_revenue), 0), nullif(sum(f.processor_fees), 0), nullif(sum(f.fee_variance), 0),
       nullif(sum(f.dispute_fees), 0), nullif(sum(f.chargeback_losses), 0), nullif(sum(f.refund_concession), 0),
       nullif(sum(f.released), 0)
FROM ledger_roll_up r JOIN fees_of_journals f ON NOT (f.xid >= r.rolled_to AND f.journal_id > r.after_journal)
GROUP BY 1, 2, 3, 4;

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON fee_totals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER only_by_posting BEFORE INSERT OR UPDATE ON fee_totals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_by_posting();

-- What was paid with is told late sometimes, and a payout can be sent another way than was asked for: what is rolled up
-- of its milestone moves with it. What only this transaction has posted is not rolled up yet.
CREATE FUNCTION move_fees() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_sign int := CASE TG_WHEN WHEN 'BEFORE' THEN -1 ELSE 1 END;
BEGIN
    IF EXISTS (SELECT FROM journals WHERE milestone_id = NEW.milestone_id AND xid <> pg_current_xact_id()) THEN
        PERFORM FROM ledger_roll_up FOR UPDATE;
        INSERT INTO fee_totals AS t (dimension, key, currency_number, day, journals,
                                 platform_fee_revenue, processing_fee_recovery, withdrawal_fee_revenue,
                                 processor_fees, fee_variance, dispute_fees, chargeback_losses, refund_concession,
                                 released)
        SELECT f.dimension, f.key, f.currency_number, f.day, v_sign * count(*),
               nullif(v_sign * sum(f.platform_fee_revenue), 0), nullif(v_sign * sum(f.processing_fee_recovery), 0),
               nullif(v_sign * sum(f.withdrawal_fee_revenue), 0), nullif(v_sign * sum(f.processor_fees), 0),
               nullif(v_sign * sum(f.fee_variance), 0), nullif(v_sign * sum(f.dispute_fees), 0),
               nullif(v_sign * sum(f.chargeback_losses), 0), nullif(v_sign * sum(f.refund_concession), 0),
               nullif(v_sign * sum(f.released), 0)
        FROM ledger_roll_up r JOIN fees_of_journals f ON NOT (f.xid >= r.rolled_to AND f.journal_id > r.after_journal)
        WHERE f.milestone_id = NEW.milestone_id AND f.dimension = TG_ARGV[0]
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
                released = nullif(coalesce(t.released, 0) + coalesce(excluded.released, 0), 0);
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION move_fees FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO bookkeeper;
ALTER FUNCTION move_fees OWNER TO bookkeeper;
REVOKE CREATE ON SCHEMA public FROM bookkeeper;
CREATE TRIGGER charges_fees_move_from
    BEFORE UPDATE OF status, method_kind, card_brand, card_funding, method_country ON charges
    FOR EACH ROW WHEN (
        'SUCCEEDED' IN (OLD.status, NEW.status)
        AND (OLD.status, OLD.method_kind, OLD.card_brand, OLD.card_funding, OLD.method_country)
            IS DISTINCT FROM (NEW.status, NEW.method_kind, NEW.card_brand, NEW.card_funding, NEW.method_country)
    ) EXECUTE FUNCTION move_fees('payment_method');
CREATE TRIGGER payouts_fees_move_from BEFORE UPDATE OF method ON payouts
    FOR EACH ROW WHEN (OLD.method IS DISTINCT FROM NEW.method) EXECUTE FUNCTION move_fees('method');
CREATE TRIGGER charges_fees_move_to
    AFTER UPDATE OF status, method_kind, card_brand, card_funding, method_country ON charges
    FOR EACH ROW WHEN (
        'SUCCEEDED' IN (OLD.status, NEW.status)
        AND (OLD.status, OLD.method_kind, OLD.card_brand, OLD.card_funding, OLD.method_country)
            IS DISTINCT FROM (NEW.status, NEW.method_kind, NEW.card_brand, NEW.card_funding, NEW.method_country)
    ) EXECUTE FUNCTION move_fees('payment_method');
CREATE TRIGGER payouts_fees_move_to AFTER UPDATE OF method ON payouts
    FOR EACH ROW WHEN (OLD.method IS DISTINCT FROM NEW.method) EXECUTE FUNCTION move_fees('method');
