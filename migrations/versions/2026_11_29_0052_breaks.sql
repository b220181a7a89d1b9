CREATE TABLE breaks (
    id BIGSERIAL NOT NULL,
    side VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    class VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    theirs BIGINT,
    ours BIGINT,
    ours_currency VARCHAR,
    transaction_id VARCHAR,
    journal_id BIGINT,
    suspense_item_id BIGINT,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_run_id BIGINT,
    last_run_id BIGINT,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    owner_id BIGINT,
    remark VARCHAR,
    waits_until TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_as VARCHAR,
    closed_by BIGINT,
    CONSTRAINT breaks_pkey PRIMARY KEY (id),
    CONSTRAINT breaks_side_object_currency_key UNIQUE (side, object, currency),
    CONSTRAINT breaks_suspense_item_id_fkey FOREIGN KEY (suspense_item_id) REFERENCES suspense_items (id),
    CONSTRAINT breaks_first_run_id_fkey FOREIGN KEY (first_run_id) REFERENCES reconciliation_runs (id),
    CONSTRAINT breaks_last_run_id_fkey FOREIGN KEY (last_run_id) REFERENCES reconciliation_runs (id),
    CONSTRAINT breaks_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES staff (id),
    CONSTRAINT breaks_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES staff (id),
    CONSTRAINT breaks_side CHECK (side in ('STRIPE', 'BANK', 'PAYEE')),
    CONSTRAINT breaks_kind CHECK (kind in ('NOT_IN_LEDGER', 'NOT_AT_PROVIDER', 'AMOUNT_DIFFERS', 'BALANCE_DIFFERS', 'IN_SUSPENSE')),
    CONSTRAINT breaks_class CHECK (class in ('TIMING', 'FEE', 'CURRENCY', 'DUPLICATE', 'MISSED_WEBHOOK',
        'MADE_AT_STRIPE', 'BANK_ONLY', 'LEDGER_ONLY', 'AMOUNT_DIFFERS', 'UNKNOWN')),
    CONSTRAINT breaks_status CHECK (status in ('OPEN', 'CLOSED')),
    CONSTRAINT breaks_closed_as CHECK (closed_as in ('AGREES', 'EXPLAINED', 'MATCHED')),
    CONSTRAINT breaks_an_amount CHECK (theirs is not null or ours is not null),
    CONSTRAINT breaks_closed_as_something CHECK (
        (status = 'CLOSED') = (closed_at is not null and closed_as is not null)),
    CONSTRAINT breaks_only_open_ones_wait CHECK (status = 'OPEN' or waits_until is null),
    CONSTRAINT breaks_which_suspense CHECK ((kind = 'IN_SUSPENSE') <= (suspense_item_id is not null))
);
CREATE INDEX breaks_open_idx ON breaks (since, id) WHERE status = 'OPEN';
CREATE INDEX breaks_suspense_idx ON breaks (suspense_item_id) WHERE suspense_item_id is not null;

ALTER TABLE reconciliation_breaks ADD COLUMN side VARCHAR NOT NULL DEFAULT 'STRIPE';
ALTER TABLE reconciliation_breaks ADD COLUMN break_id BIGINT;
ALTER TABLE reconciliation_breaks ADD CONSTRAINT reconciliation_breaks_side
    CHECK (side in ('STRIPE', 'BANK', 'PAYEE'));
ALTER TABLE reconciliation_breaks DROP CONSTRAINT reconciliation_breaks_kind;
ALTER TABLE reconciliation_breaks ADD CONSTRAINT reconciliation_breaks_kind CHECK (kind in ('NOT_IN_LEDGER',
    'NOT_AT_PROVIDER', 'AMOUNT_DIFFERS', 'BALANCE_DIFFERS', 'IN_SUSPENSE'));
ALTER TABLE reconciliation_breaks ADD CONSTRAINT reconciliation_breaks_break_id_fkey
    FOREIGN KEY (break_id) REFERENCES breaks (id);
CREATE INDEX reconciliation_breaks_break_idx ON reconciliation_breaks (break_id);

-- What runs of before saw, one break for each thing that differed. It is open if the last run that came to an end saw
-- it; its class is looked at again by the next run.
WITH last AS (SELECT max(id) AS id FROM reconciliation_runs WHERE status IN ('CLEAN', 'SUSPENSE', 'BREAKS')),
seen AS (
    SELECT r.*, coalesce(r.transaction_id, 'balance') AS object, u.until, u.finished_at,
        min(r.run_id) OVER w AS first_run, max(r.run_id) OVER w AS last_run,
        row_number() OVER (PARTITION BY coalesce(r.transaction_id, 'balance'), r.currency ORDER BY r.run_id DESC, r.id DESC) AS nth
    FROM reconciliation_breaks r JOIN reconciliation_runs u ON u.id = r.run_id
    WHERE coalesce(r.at_provider, r.in_ledger) IS NOT NULL
    WINDOW w AS (PARTITION BY coalesce(r.transaction_id, 'balance'), r.currency)
)
INSERT INTO breaks (side, object, currency, kind, class, status, theirs, ours, transaction_id, journal_id, since,
    opened_at, first_run_id, last_run_id, last_seen_at, closed_at, closed_as)
SELECT 'STRIPE', s.object, s.currency, s.kind,
    CASE s.kind WHEN 'NOT_IN_LEDGER' THEN 'UNKNOWN' WHEN 'NOT_AT_PROVIDER' THEN 'LEDGER_ONLY' ELSE 'AMOUNT_DIFFERS' END,
    CASE WHEN s.last_run = last.id THEN 'OPEN' ELSE 'CLOSED' END, s.at_provider, s.in_ledger, s.transaction_id,
    s.journal_id, coalesce(l.created_at, t.created_at, f.until), coalesce(f.finished_at, f.started_at),
    s.first_run, s.last_run, coalesce(s.finished_at, s.until),
    CASE WHEN s.last_run <> last.id THEN coalesce(s.finished_at, s.until) END,
    CASE WHEN s.last_run <> last.id THEN 'AGREES' END
FROM seen s CROSS JOIN last JOIN reconciliation_runs f ON f.id = s.first_run
LEFT JOIN statement_lines l ON l.id = s.transaction_id
LEFT JOIN balance_transactions t ON t.id = s.transaction_id
WHERE s.nth = 1 ORDER BY s.first_run, s.id;
UPDATE reconciliation_breaks r SET break_id = b.id FROM breaks b
WHERE b.side = 'STRIPE' AND b.object = coalesce(r.transaction_id, 'balance') AND b.currency = r.currency;

-- What is in suspense and unexplained is open as well.
INSERT INTO breaks (side, object, currency, kind, class, status, theirs, transaction_id, journal_id, suspense_item_id,
    since, opened_at, last_seen_at)
SELECT 'STRIPE', i.transaction_id, i.currency, 'IN_SUSPENSE', 'UNKNOWN', 'OPEN', i.amount_minor, i.transaction_id,
    t.journal_id, i.id, coalesce(t.created_at, i.found_at), i.found_at, i.found_at
FROM suspense_items i LEFT JOIN balance_transactions t ON t.id = i.transaction_id
WHERE i.status = 'OPEN' ORDER BY i.id
ON CONFLICT (side, object, currency) DO UPDATE SET kind = 'IN_SUSPENSE', status = 'OPEN', theirs = excluded.theirs,
    ours = null, journal_id = excluded.journal_id, suspense_item_id = excluded.suspense_item_id, closed_at = null,
    closed_as = null;

INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('breaks', 'OPEN', 'CLOSED'), ('breaks', 'CLOSED', 'OPEN');
CREATE TRIGGER breaks_legal_move BEFORE UPDATE OF status ON breaks FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER breaks_recorded AFTER UPDATE OF status ON breaks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION require_status_entry('break', 'status', 'id');

GRANT SELECT, INSERT, UPDATE ON breaks TO app;
GRANT SELECT ON breaks TO auditor;
GRANT USAGE ON SEQUENCE breaks_id_seq TO app;

-- What unexplained money can turn out to be, with the accounts that the chart has for it now.
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_proposed_as;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_proposed_as CHECK (proposed_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED',
    'PAYEE_DEBT', 'PAYEE_OWES', 'RESERVE', 'BANK_CHARGE', 'INTEREST', 'OTHER_INCOME', 'OTHER_EXPENSE'));
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_settled_as;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_settled_as CHECK (settled_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED',
    'PAYEE_DEBT', 'PAYEE_OWES', 'RESERVE', 'BANK_CHARGE', 'INTEREST', 'OTHER_INCOME', 'OTHER_EXPENSE'));
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_direction;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_direction CHECK (
    case when coalesce(settled_as, proposed_as) in ('CONCESSION', 'REFUND_OWED', 'PAYEE_OWES', 'OTHER_EXPENSE')
    then amount_minor < 0 when coalesce(settled_as, proposed_as) in ('RETURN_TO_PAYER', 'PAYEE_DEBT', 'INTEREST',
    'OTHER_INCOME') then amount_minor > 0 else true end) NOT VALID;
