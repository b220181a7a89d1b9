-- What Stripe's books say of payees' accounts, and of every payout; and how far each was read.
CREATE TABLE payee_statement_lines (
    id VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    party_id BIGINT,
    kind VARCHAR NOT NULL,
    reporting_category VARCHAR NOT NULL,
    amount BIGINT NOT NULL,
    fee BIGINT NOT NULL,
    net BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT payee_statement_lines_pkey PRIMARY KEY (id),
    CONSTRAINT payee_statement_lines_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT payee_statement_lines_net CHECK (net = amount - fee)
);
CREATE INDEX payee_statement_lines_account_idx ON payee_statement_lines (account, currency, created_at);
CREATE INDEX payee_statement_lines_source_idx ON payee_statement_lines (source);

CREATE TABLE stripe_payouts (
    id VARCHAR NOT NULL,
    account VARCHAR,
    party_id BIGINT,
    amount BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    automatic BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    arrival_at TIMESTAMP WITH TIME ZONE NOT NULL,
    balance_transaction VARCHAR,
    failure_balance_transaction VARCHAR,
    failure_code VARCHAR,
    destination VARCHAR,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT stripe_payouts_pkey PRIMARY KEY (id),
    CONSTRAINT stripe_payouts_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT stripe_payouts_amount CHECK (amount > 0),
    CONSTRAINT stripe_payouts_whose CHECK (account is not null or party_id is null)
);
CREATE INDEX stripe_payouts_account_idx ON stripe_payouts (account, created_at);
CREATE INDEX stripe_payouts_platform_idx ON stripe_payouts (currency, arrival_at) WHERE account IS NULL;

-- '' is the platform's own account. A window that was not read to its end goes on after the last object that was kept.
CREATE TABLE statement_cursors (
    account VARCHAR NOT NULL,
    book VARCHAR NOT NULL,
    read_until TIMESTAMP WITH TIME ZONE,
    window_since TIMESTAMP WITH TIME ZONE,
    window_until TIMESTAMP WITH TIME ZONE,
    window_after VARCHAR,
    looked_at TIMESTAMP WITH TIME ZONE,
    failure VARCHAR,
    CONSTRAINT statement_cursors_pkey PRIMARY KEY (account, book),
    CONSTRAINT statement_cursors_book CHECK (book in ('LINES', 'PAYOUTS')),
    CONSTRAINT statement_cursors_window CHECK ((window_since is null) = (window_until is null)
        and (window_after is null or window_since is not null))
);
-- What a run that came to its end had read.
INSERT INTO statement_cursors (account, book, read_until, looked_at)
SELECT '', 'LINES', max(until), max(finished_at) FROM reconciliation_runs
WHERE status in ('CLEAN', 'SUSPENSE', 'BREAKS') HAVING max(until) IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON payee_statement_lines, stripe_payouts, statement_cursors TO app;
GRANT SELECT ON payee_statement_lines, stripe_payouts, statement_cursors TO auditor;
