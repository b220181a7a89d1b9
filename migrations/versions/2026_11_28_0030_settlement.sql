-- In which currencies the platform's account at Stripe settles, and what Stripe converted all the same.
CREATE TABLE settlement_currencies (
    currency VARCHAR NOT NULL,
    settles BOOLEAN NOT NULL,
    known_from VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT settlement_currencies_pkey PRIMARY KEY (currency),
    CONSTRAINT settlement_currencies_known_from CHECK (known_from in ('STRIPE', 'LINE', 'PERSON'))
);
-- What was charged and settled in its own currency so far; the rest is read from Stripe when the worker starts.
INSERT INTO settlement_currencies (currency, settles, known_from, at)
SELECT currency, true, 'STRIPE', max(booked_at) FROM balance_transactions WHERE reporting_category = 'charge' GROUP BY 1;
GRANT SELECT, INSERT, UPDATE ON settlement_currencies TO app;
GRANT SELECT ON settlement_currencies TO auditor;

ALTER TABLE payment_orders ADD COLUMN settled_currency VARCHAR;

ALTER TABLE balance_transactions ADD COLUMN for_minor BIGINT;
ALTER TABLE balance_transactions ADD COLUMN for_currency VARCHAR;
ALTER TABLE balance_transactions ADD COLUMN exchange_rate VARCHAR;
ALTER TABLE balance_transactions ADD CONSTRAINT balance_transactions_for_whole
    CHECK ((for_minor is null) = (for_currency is null));
ALTER TABLE balance_transactions ADD CONSTRAINT balance_transactions_for_another
    CHECK (for_currency <> currency and sign(for_minor) = sign(amount));

INSERT INTO chart (line, name, kind, book, per) VALUES (140, 'exchange_difference', 'expense', 'platform', null);
