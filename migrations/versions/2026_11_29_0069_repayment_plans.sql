-- A debt that its payee repays by instalments: releases set off only what has fallen due. What the payee owes beyond the
-- plan, and all of it once the plan is ended, is due at once.
CREATE TABLE repayment_plans (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    after_journal BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    agreed_by BIGINT NOT NULL,
    agreed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_by BIGINT,
    ended_at TIMESTAMP WITH TIME ZONE,
    end_reason VARCHAR,
    CONSTRAINT repayment_plans_pkey PRIMARY KEY (id),
    CONSTRAINT repayment_plans_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT repayment_plans_agreed_by_fkey FOREIGN KEY (agreed_by) REFERENCES staff (id),
    CONSTRAINT repayment_plans_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES staff (id),
    CONSTRAINT repayment_plans_ended_whole CHECK (
        (ended_at is null) = (ended_by is null) and (ended_at is null) = (end_reason is null))
);
CREATE UNIQUE INDEX repayment_plans_one_idx ON repayment_plans (party_id, currency) WHERE ended_at IS NULL;
CREATE TABLE repayment_instalments (
    id BIGSERIAL NOT NULL,
    plan_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    due_on DATE NOT NULL,
    amount_minor BIGINT NOT NULL,
    fell_due_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT repayment_instalments_pkey PRIMARY KEY (id),
    CONSTRAINT repayment_instalments_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES repayment_plans (id),
    CONSTRAINT repayment_instalments_amount CHECK (amount_minor > 0),
    CONSTRAINT repayment_instalments_not_before CHECK (fell_due_at >= due_on::timestamp AT TIME ZONE 'UTC')
);
CREATE UNIQUE INDEX repayment_instalments_position_idx ON repayment_instalments (plan_id, position);
CREATE INDEX repayment_instalments_due_idx ON repayment_instalments (due_on) WHERE fell_due_at IS NULL;
GRANT SELECT, INSERT ON repayment_plans, repayment_instalments TO app;
GRANT UPDATE (ended_by, ended_at, end_reason) ON repayment_plans TO app;
GRANT UPDATE (fell_due_at) ON repayment_instalments TO app;
GRANT SELECT ON repayment_plans, repayment_instalments TO auditor;
GRANT USAGE ON SEQUENCE repayment_plans_id_seq, repayment_instalments_id_seq TO app;
CREATE TRIGGER repayment_plans_written_once BEFORE UPDATE ON repayment_plans FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('ended_by', 'ended_at', 'end_reason');
CREATE TRIGGER repayment_instalments_written_once BEFORE UPDATE ON repayment_instalments FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('fell_due_at');

-- The instalments of the plans that stand, and what of each is open. Whatever settled the debt since a plan was agreed
-- settles its oldest instalment first.
CREATE VIEW repayment_progress WITH (security_invoker) AS
SELECT i.id, i.plan_id, i.position, p.party_id, p.currency, i.due_on, i.amount_minor, i.fell_due_at,
       greatest(0, least(i.amount_minor, i.until_minor - paid.minor))::bigint AS open_minor
FROM repayment_plans p
JOIN (SELECT *, sum(amount_minor) OVER (PARTITION BY plan_id ORDER BY position) AS until_minor
      FROM repayment_instalments) i ON i.plan_id = p.id
CROSS JOIN LATERAL (
    SELECT coalesce(-sum(b.amount), 0) AS minor
    FROM accounts a JOIN account_postings b ON b.account_id = a.id
    WHERE a.code = 'receivable_payee:' || p.party_id AND a.currency = p.currency
        AND b.amount < 0 AND b.journal_id > p.after_journal) paid
WHERE p.ended_at IS NULL;
GRANT SELECT ON repayment_progress TO app, auditor;

-- What of a payee's debt may be set off now: all that no instalment puts off.
CREATE FUNCTION debt_due_minor(p_party bigint, p_currency text) RETURNS bigint LANGUAGE sql STABLE SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
    SELECT greatest(0,
        coalesce((SELECT balance FROM account_balances
                  WHERE code = 'receivable_payee:' || p_party AND currency = p_currency), 0)
        - coalesce((SELECT sum(open_minor) FROM repayment_progress
                    WHERE party_id = p_party AND currency = p_currency AND fell_due_at IS NULL), 0))::bigint
$$;
REVOKE ALL ON FUNCTION debt_due_minor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION debt_due_minor TO app, auditor;

-- A debt that was written off and is paid after all: income of its own, and linked to its write-off, of which no more is
-- recovered than was written off.
INSERT INTO chart (line, gl_number, subtotal, title, name, kind, book, per) VALUES
    (148, 4920, 'other_income', 'Bad debts recovered', 'bad_debt_recovered', 'income', 'platform', null);
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_proposed_as;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_proposed_as CHECK (proposed_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED',
    'PAYEE_DEBT', 'PAYEE_OWES', 'DEBT_RECOVERED', 'RESERVE', 'BANK_CHARGE', 'INTEREST', 'OTHER_INCOME',
    'OTHER_EXPENSE'));
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_settled_as;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_settled_as CHECK (settled_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED',
    'PAYEE_DEBT', 'PAYEE_OWES', 'DEBT_RECOVERED', 'RESERVE', 'BANK_CHARGE', 'INTEREST', 'OTHER_INCOME',
    'OTHER_EXPENSE'));
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_direction;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_direction CHECK (
    case when coalesce(settled_as, proposed_as) in ('CONCESSION', 'REFUND_OWED', 'PAYEE_OWES', 'OTHER_EXPENSE')
    then amount_minor < 0 when coalesce(settled_as, proposed_as) in ('RETURN_TO_PAYER', 'PAYEE_DEBT', 'DEBT_RECOVERED',
    'INTEREST', 'OTHER_INCOME') then amount_minor > 0 else true end) NOT VALID;
CREATE INDEX suspense_items_recovered_idx ON suspense_items (target_id)
    WHERE coalesce(settled_as, proposed_as) = 'DEBT_RECOVERED';
CREATE FUNCTION recovers_what_was_written_off() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM debt_write_offs w
        WHERE w.id = NEW.target_id AND w.status = 'DONE' AND w.currency = NEW.currency
            AND w.amount_minor >= NEW.amount_minor + (
                SELECT coalesce(sum(s.amount_minor), 0) FROM suspense_items s
                WHERE s.target_id = w.id AND s.id <> NEW.id
                    AND coalesce(s.settled_as, s.proposed_as) = 'DEBT_RECOVERED')) THEN
        RAISE EXCEPTION 'suspense item % recovers more than write-off % gave up', NEW.id, NEW.target_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION recovers_what_was_written_off FROM PUBLIC;
CREATE TRIGGER suspense_items_recover_what_was_written_off BEFORE UPDATE OF proposed_as, settled_as ON suspense_items
    FOR EACH ROW WHEN (coalesce(NEW.settled_as, NEW.proposed_as) = 'DEBT_RECOVERED')
    EXECUTE FUNCTION recovers_what_was_written_off();
