-- The legal checklist by jurisdiction: each signature with its document, until when it counts, when it is reviewed, and its
-- withdrawal. What was signed before counts in every jurisdiction, until somebody says otherwise.
CREATE TABLE legal_signatures (
    id BIGSERIAL NOT NULL,
    platform VARCHAR NOT NULL,
    jurisdiction VARCHAR NOT NULL,
    item VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    document_name VARCHAR,
    document BYTEA,
    document_sha256 VARCHAR GENERATED ALWAYS AS (encode(sha256(document), 'hex')) STORED,
    signed_by BIGINT NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_until DATE,
    review_on DATE,
    reminded_at TIMESTAMP WITH TIME ZONE,
    withdrawn_by BIGINT,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    withdrawal_reason VARCHAR,
    CONSTRAINT legal_signatures_pkey PRIMARY KEY (id),
    CONSTRAINT legal_signatures_platform CHECK (platform in ('home_services', 'legal_services')),
    CONSTRAINT legal_signatures_item CHECK (item in ('COUNSEL', 'PROCESSOR_TERMS', 'CHARGEBACK_WORKFLOW', 'PRIVACY')),
    CONSTRAINT legal_signatures_jurisdiction CHECK (jurisdiction ~ '^([A-Z]{2}|ALL)$'),
    CONSTRAINT legal_signatures_document CHECK ((document is null) = (document_name is null)),
    CONSTRAINT legal_signatures_withdrawn_by_someone CHECK (
        (withdrawn_at is null) = (withdrawn_by is null) and (withdrawn_at is null) = (withdrawal_reason is null)),
    CONSTRAINT legal_signatures_review CHECK (review_on <= valid_until),
    CONSTRAINT legal_signatures_signed_by_fkey FOREIGN KEY (signed_by) REFERENCES staff (id),
    CONSTRAINT legal_signatures_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES staff (id)
);
CREATE INDEX legal_signatures_of_idx ON legal_signatures (platform, item, jurisdiction, id);
CREATE INDEX legal_signatures_review_idx ON legal_signatures (review_on) WHERE reminded_at is null and withdrawn_at is null;
INSERT INTO legal_signatures (platform, jurisdiction, item, note, signed_by, signed_at)
    SELECT platform, 'ALL', item, note, signed_by, signed_at FROM legal_checks ORDER BY signed_at, platform, item;
DROP TABLE legal_checks;

-- What was signed stays; a signature is withdrawn once, and reminded of once.
CREATE FUNCTION legal_signatures_stay() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP <> 'UPDATE'
       OR (new.id, new.platform, new.jurisdiction, new.item, new.note, new.document_name, new.document, new.signed_by,
           new.signed_at, new.valid_until, new.review_on)
          IS DISTINCT FROM (old.id, old.platform, old.jurisdiction, old.item, old.note, old.document_name, old.document,
           old.signed_by, old.signed_at, old.valid_until, old.review_on)
       OR old.withdrawn_at IS NOT NULL AND (new.withdrawn_at, new.withdrawn_by, new.withdrawal_reason)
          IS DISTINCT FROM (old.withdrawn_at, old.withdrawn_by, old.withdrawal_reason)
       OR old.reminded_at IS NOT NULL AND new.reminded_at IS DISTINCT FROM old.reminded_at THEN
        RAISE EXCEPTION 'a signature of the legal checklist stays as it is: this is not allowed'
            USING errcode = 'insufficient_privilege';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER legal_signatures_stay BEFORE UPDATE OR DELETE ON legal_signatures
    FOR EACH ROW EXECUTE FUNCTION legal_signatures_stay();
REVOKE ALL ON FUNCTION legal_signatures_stay() FROM PUBLIC;
GRANT SELECT, INSERT ON legal_signatures TO app;
GRANT UPDATE (reminded_at, withdrawn_by, withdrawn_at, withdrawal_reason) ON legal_signatures TO app;
GRANT USAGE ON SEQUENCE legal_signatures_id_seq TO app;
GRANT SELECT ON legal_signatures TO auditor;
SELECT put_under_seal('legal_signatures');
