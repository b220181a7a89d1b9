-- The last number that each series of documents has given in each year. Only the trigger below counts it up, in the
-- transaction that issues the document: one that is rolled back gives its number back, and two wait for each other.
CREATE TABLE document_series (
    series VARCHAR NOT NULL,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    CONSTRAINT document_series_pkey PRIMARY KEY (series, year),
    CONSTRAINT document_series_counts CHECK (last > 0)
);
CREATE TRIGGER document_series_never_back BEFORE DELETE OR TRUNCATE ON document_series
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
GRANT SELECT ON document_series TO app, auditor;

-- What a document says of its day: who issued it, what the parties were called, how it was paid, the tax in it, and the
-- document that it refers to. `place` is its place in its series and year.
ALTER TABLE receipts
    ADD COLUMN series VARCHAR,
    ADD COLUMN year BIGINT,
    ADD COLUMN place BIGINT,
    ADD COLUMN payer_name VARCHAR,
    ADD COLUMN payee_name VARCHAR,
    ADD COLUMN issuer_name VARCHAR,
    ADD COLUMN issuer_address VARCHAR,
    ADD COLUMN issuer_tax_id VARCHAR,
    ADD COLUMN tax_bps BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN payment_method VARCHAR,
    ADD COLUMN original_id BIGINT;

-- Documents of before keep the numbers that they were issued with: one count over all kinds, which left gaps.
ALTER TABLE receipts DISABLE TRIGGER receipts_append_only;
UPDATE receipts r SET
    series = CASE r.kind WHEN 'FUNDING' THEN 'R' WHEN 'RELEASE' THEN 'I' ELSE 'C' END,
    year = extract(year FROM r.at AT TIME ZONE 'utc'),
    place = r.id,
    payer_name = coalesce((SELECT c.before FROM party_changes c WHERE c.party_id = r.payer_id AND c.field = 'name'
                           AND c.at > r.at ORDER BY c.at, c.id LIMIT 1),
                          (SELECT p.name FROM parties p WHERE p.id = r.payer_id)),
    payee_name = coalesce((SELECT c.before FROM party_changes c WHERE c.party_id = r.payee_id AND c.field = 'name'
                           AND c.at > r.at ORDER BY c.at, c.id LIMIT 1),
                          (SELECT p.name FROM parties p WHERE p.id = r.payee_id)),
    original_id = (SELECT min(o.id) FROM receipts o
                   WHERE o.milestone_id = r.milestone_id AND o.kind = 'FUNDING' AND r.kind <> 'FUNDING' AND o.id < r.id);
ALTER TABLE receipts ENABLE TRIGGER receipts_append_only;
INSERT INTO unhashed_content (part, row_id) SELECT 'receipts', id::text FROM receipts;

ALTER TABLE receipts
    ALTER COLUMN series SET NOT NULL,
    ALTER COLUMN year SET NOT NULL,
    ALTER COLUMN place SET NOT NULL,
    ALTER COLUMN payer_name SET NOT NULL,
    ALTER COLUMN payee_name SET NOT NULL,
    ADD COLUMN number VARCHAR NOT NULL
        GENERATED ALWAYS AS (series || '-' || year::text || '-' || lpad(place::text, greatest(6, length(place::text)), '0')) STORED,
    ADD CONSTRAINT receipts_number_key UNIQUE (number),
    ADD CONSTRAINT receipts_place_key UNIQUE (series, year, place),
    ADD CONSTRAINT receipts_of_its_year CHECK (year = extract(year FROM at AT TIME ZONE 'utc')),
    ADD CONSTRAINT receipts_tax CHECK (
        tax_bps BETWEEN 0 AND 9999
        AND tax_minor = div(2 * total_minor::numeric * tax_bps + 10000 + tax_bps, 2 * (10000 + tax_bps))
    ),
    ADD CONSTRAINT receipts_original CHECK (kind <> 'FUNDING' OR original_id IS NULL),
    ADD CONSTRAINT receipts_original_id_fkey FOREIGN KEY (original_id) REFERENCES receipts (id);
CREATE INDEX receipts_at_idx ON receipts (at, id);
CREATE INDEX receipts_payer_idx ON receipts (payer_id, id);
CREATE INDEX receipts_payee_idx ON receipts (payee_id, id);

-- Whoever issues a document: its series is that of its marketplace and kind, its number the next one, its names those
-- that the parties bear in this moment, and what it refers to belongs to the same milestone.
CREATE FUNCTION number_receipt() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    marketplace text;
BEGIN
    SELECT p.platform INTO STRICT marketplace
    FROM milestones m JOIN projects p ON p.id = m.project_id WHERE m.id = NEW.milestone_id;
    NEW.series := CASE marketplace WHEN 'home_services' THEN 'H' WHEN 'legal_services' THEN 'L' END
        || CASE NEW.kind WHEN 'FUNDING' THEN 'R' WHEN 'RELEASE' THEN 'I' WHEN 'REFUND' THEN 'C' END;
    NEW.year := extract(year FROM NEW.at AT TIME ZONE 'utc');
    SELECT name INTO STRICT NEW.payer_name FROM parties WHERE id = NEW.payer_id;
    SELECT name INTO STRICT NEW.payee_name FROM parties WHERE id = NEW.payee_id;
    IF NEW.original_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM receipts WHERE id = NEW.original_id AND kind = 'FUNDING' AND milestone_id = NEW.milestone_id
    ) THEN
        RAISE EXCEPTION 'Document % is no receipt of milestone %', NEW.original_id, NEW.milestone_id
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO document_series (series, year, last) VALUES (NEW.series, NEW.year, 1)
    ON CONFLICT (series, year) DO UPDATE SET last = document_series.last + 1
    RETURNING last INTO NEW.place;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION number_receipt FROM PUBLIC;
CREATE TRIGGER receipts_number BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION number_receipt();

-- A file that left the desk is found again by its hash.
CREATE INDEX audit_entries_sha256_idx ON audit_entries ((after ->> 'sha256')) WHERE after ? 'sha256';
