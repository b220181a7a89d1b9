-- Stripe can state a line otherwise more than once: each correction holds what the statement has more than all before.
ALTER TABLE line_corrections DROP CONSTRAINT line_corrections_pkey;
ALTER TABLE line_corrections ADD COLUMN id BIGSERIAL NOT NULL;
ALTER TABLE line_corrections ADD CONSTRAINT line_corrections_pkey PRIMARY KEY (id);
CREATE INDEX line_corrections_transaction_idx ON line_corrections (transaction_id);
GRANT USAGE ON SEQUENCE line_corrections_id_seq TO app;
-- A whole line lies in suspense once, its differences one after the other.
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_transaction_id_key;
CREATE UNIQUE INDEX suspense_items_whole_line_key ON suspense_items (transaction_id) WHERE journal_id IS NULL;
CREATE UNIQUE INDEX suspense_items_one_open_key ON suspense_items (transaction_id) WHERE status = 'OPEN';
CREATE INDEX suspense_items_transaction_idx ON suspense_items (transaction_id);

-- A refund that was sent from our bank can come back.
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_proposed_as;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_proposed_as CHECK (proposed_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED',
    'PAYEE_DEBT', 'PAYEE_OWES', 'DEBT_RECOVERED', 'REFUND_CAME_BACK', 'RESERVE', 'BANK_CHARGE', 'INTEREST',
    'OTHER_INCOME', 'OTHER_EXPENSE'));
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_settled_as;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_settled_as CHECK (settled_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED',
    'PAYEE_DEBT', 'PAYEE_OWES', 'DEBT_RECOVERED', 'REFUND_CAME_BACK', 'RESERVE', 'BANK_CHARGE', 'INTEREST',
    'OTHER_INCOME', 'OTHER_EXPENSE'));
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_direction;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_direction CHECK (
    case when coalesce(settled_as, proposed_as) in ('CONCESSION', 'REFUND_OWED', 'PAYEE_OWES', 'OTHER_EXPENSE')
    then amount_minor < 0 when coalesce(settled_as, proposed_as) in ('RETURN_TO_PAYER', 'PAYEE_DEBT', 'DEBT_RECOVERED',
    'REFUND_CAME_BACK', 'INTEREST', 'OTHER_INCOME') then amount_minor > 0 else true end) NOT VALID;
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('refunds', 'RETURNED', 'FAILED'),
    ('refunds', 'RETURNED', 'QUEUED'),
    ('refunds', 'RETURNED', 'PENDING'),
    ('refunds', 'RETURNED', 'SUCCEEDED'),
    ('refunds', 'RETURNED', 'CANCELED'),
    ('refunds', 'RETURNED', 'CHARGED_BACK'),
    ('outgoing_operations', 'CANCELED', 'REVIEW');

-- The journal that booked it as sent, and the one by which the debt is open again: as much, on the same account.
CREATE TABLE failed_returns (
    return_id BIGINT NOT NULL,
    sent_journal_id BIGINT NOT NULL,
    journal_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT failed_returns_pkey PRIMARY KEY (return_id),
    CONSTRAINT failed_returns_sent_journal_id_key UNIQUE (sent_journal_id),
    CONSTRAINT failed_returns_journal_id_key UNIQUE (journal_id),
    CONSTRAINT failed_returns_return_id_fkey FOREIGN KEY (return_id) REFERENCES refund_returns (id),
    CONSTRAINT failed_returns_sent_journal_id_fkey FOREIGN KEY (sent_journal_id) REFERENCES journals (id),
    CONSTRAINT failed_returns_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES journals (id)
);
CREATE FUNCTION check_failed_return() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM refund_returns r JOIN refunds f ON f.id = r.refund_id
        JOIN journals s ON s.id = NEW.sent_journal_id JOIN journals b ON b.id = NEW.journal_id
        WHERE r.id = NEW.return_id AND r.status = 'DONE' AND f.status = 'FAILED' AND s.kind = 'refund_returned'
          AND b.kind IN ('refund_came_back', 'refund_never_left')
          AND s.amounts[array_position(s.account_ids, account_number('refund_payable:' || f.milestone_id, f.currency))]
            = f.amount_minor
          AND b.amounts[array_position(b.account_ids, account_number('refund_payable:' || f.milestone_id, f.currency))]
            = -f.amount_minor
    ) THEN
        RAISE EXCEPTION 'journal % does not open the debt of return % again', NEW.journal_id, NEW.return_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION check_failed_return FROM PUBLIC;
CREATE TRIGGER failed_returns_open_the_debt BEFORE INSERT ON failed_returns
    FOR EACH ROW EXECUTE FUNCTION check_failed_return();
CREATE TRIGGER failed_returns_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON failed_returns
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
GRANT SELECT, INSERT ON failed_returns TO app;
GRANT SELECT ON failed_returns TO auditor;

-- What was called off is looked at again by a person only where its refund is owed again.
CREATE FUNCTION refuse_to_revive() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM refunds f JOIN refund_returns r ON r.refund_id = f.id JOIN failed_returns b ON b.return_id = r.id
        WHERE f.operation_id = NEW.id AND f.status IN ('FAILED', 'CHARGED_BACK')
    ) THEN
        RAISE EXCEPTION 'operation % was called off', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION refuse_to_revive FROM PUBLIC;
CREATE CONSTRAINT TRIGGER outgoing_operations_stay_called_off AFTER UPDATE OF status ON outgoing_operations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status = 'CANCELED' AND NEW.status <> 'CANCELED')
    EXECUTE FUNCTION refuse_to_revive();

CREATE FUNCTION refuse_to_fail_unsaid() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.refund_returns r JOIN public.failed_returns b ON b.return_id = r.id
        WHERE r.refund_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'nobody said that refund % came back', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION refuse_to_fail_unsaid FROM PUBLIC;
CREATE CONSTRAINT TRIGGER refunds_fail_as_said AFTER UPDATE OF status ON refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status = 'RETURNED' AND NEW.status <> 'RETURNED')
    EXECUTE FUNCTION refuse_to_fail_unsaid();

-- A reversal of a refund from our bank is posted as what it is.
CREATE OR REPLACE FUNCTION check_manual_journal() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM journals j
        WHERE j.id = NEW.journal_id
          AND j.kind IN ('manual_journal', 'manual_journal_reversed', 'journal_reversed', 'refund_never_left')
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
