-- What Stripe's statement states otherwise than it was booked: what is added to the booked line, and the journal that did
-- it. The line as it was booked first stays.
CREATE TABLE line_corrections (
    transaction_id VARCHAR NOT NULL,
    amount BIGINT NOT NULL,
    fee BIGINT NOT NULL,
    net BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    journal_id BIGINT NOT NULL,
    booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT line_corrections_pkey PRIMARY KEY (transaction_id),
    CONSTRAINT line_corrections_journal_id_key UNIQUE (journal_id),
    CONSTRAINT line_corrections_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES balance_transactions (id),
    CONSTRAINT line_corrections_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES journals (id),
    CONSTRAINT line_corrections_net CHECK (net = amount - fee AND net <> 0)
);
CREATE TRIGGER line_corrections_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON line_corrections
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
GRANT SELECT, INSERT ON line_corrections TO app;
GRANT SELECT ON line_corrections TO auditor;

-- The difference lies in suspense as the line's own item, with the journal that booked it there.
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_one_line;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_one_line CHECK (
    (transaction_id is null) <> (bank_line_id is null) and (bank_line_id is null or journal_id is not null));
