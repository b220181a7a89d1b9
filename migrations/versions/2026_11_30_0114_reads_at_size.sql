-- The journals that are not rolled up yet. The planner sees up to where they are rolled up, and not a column of another
-- table: it took this for a ninth of the ledger, and read all of it by its ids.
CREATE FUNCTION journals_not_rolled_up() RETURNS SETOF journals
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = public, pg_temp SET jit = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_state ledger_roll_up;
BEGIN
    SELECT * INTO v_state FROM ledger_roll_up;
    RETURN QUERY SELECT * FROM journals j WHERE j.xid >= v_state.rolled_to AND j.id > v_state.after_journal;
END $$;
GRANT EXECUTE ON FUNCTION journals_not_rolled_up TO app, auditor, bookkeeper;

CREATE OR REPLACE FUNCTION tail_of_ledger() RETURNS TABLE (account_id bigint, journal_id bigint, amount bigint)
LANGUAGE sql STABLE ROWS 1000 SET search_path = public, pg_temp SET jit = off AS $$
    SELECT p.account_id, j.id, p.amount
    FROM journals_not_rolled_up() j CROSS JOIN LATERAL unnest(j.account_ids, j.amounts) AS p (account_id, amount)
$$;

-- The same rows as before, found by the account: joined to `account_postings`, the whole register was read for each plan.
CREATE OR REPLACE VIEW repayment_progress WITH (security_invoker) AS
SELECT i.id, i.plan_id, i.position, p.party_id, p.currency, i.due_on, i.amount_minor, i.fell_due_at,
       greatest(0, least(i.amount_minor, i.until_minor - paid.minor))::bigint AS open_minor
FROM repayment_plans p
JOIN (SELECT *, sum(amount_minor) OVER (PARTITION BY plan_id ORDER BY position) AS until_minor
      FROM repayment_instalments) i ON i.plan_id = p.id
LEFT JOIN accounts a ON a.code = 'receivable_payee:' || p.party_id AND a.currency = p.currency
CROSS JOIN LATERAL (
    SELECT - coalesce((SELECT sum(r.amount) FROM register r
                       WHERE r.account_id = a.id AND r.amount < 0 AND r.journal_id > p.after_journal), 0)
           - coalesce((SELECT sum(t.amount) FROM posting_tail t
                       WHERE t.account_id = a.id AND t.amount < 0 AND t.journal_id > p.after_journal), 0) AS minor) paid
WHERE p.ended_at IS NULL;

-- What each payee owes, and what of it is due: all but the instalments whose day has not come.
CREATE VIEW debts_due WITH (security_invoker) AS
SELECT b.account_id, b.object_id AS party_id, b.currency, b.balance,
       greatest(0, b.balance - coalesce(later.minor, 0))::bigint AS due
FROM account_balances b
LEFT JOIN (
    SELECT party_id, currency, sum(open_minor) AS minor FROM repayment_progress WHERE fell_due_at IS NULL GROUP BY 1, 2
) later ON later.party_id = b.object_id AND later.currency = b.currency
WHERE b.line = 'receivable_payee' AND b.balance > 0;
GRANT SELECT ON debts_due TO app, auditor;

-- The entries that no seal holds yet: the same, by the last seal of the present epoch.
CREATE FUNCTION entries_not_sealed() RETURNS SETOF audit_entries
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_epoch bigint;
    v_after bigint;
    v_hi xid8;
BEGIN
    SELECT epoch, entries_after INTO v_epoch, v_after FROM seal_epochs ORDER BY epoch DESC LIMIT 1;
    SELECT coalesce((SELECT hi FROM seals WHERE epoch = v_epoch ORDER BY n DESC LIMIT 1), '0') INTO v_hi;
    RETURN QUERY SELECT * FROM audit_entries e WHERE e.id > v_after AND e.xid >= v_hi;
END $$;
GRANT EXECUTE ON FUNCTION entries_not_sealed TO app, auditor;
