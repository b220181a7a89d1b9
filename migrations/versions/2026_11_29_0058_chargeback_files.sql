ALTER TABLE chargebacks ADD COLUMN network VARCHAR;
ALTER TABLE chargebacks ADD COLUMN network_code VARCHAR;

CREATE TABLE chargeback_files (
    id BIGSERIAL NOT NULL,
    chargeback_id BIGINT NOT NULL,
    origin VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    media_type VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    pages BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    owner_id BIGINT NOT NULL,
    contents JSONB NOT NULL DEFAULT '[]',
    added_by BIGINT NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT chargeback_files_pkey PRIMARY KEY (id),
    CONSTRAINT chargeback_files_chargeback_id_sha256_key UNIQUE (chargeback_id, sha256),
    CONSTRAINT chargeback_files_chargeback_id_fkey FOREIGN KEY (chargeback_id) REFERENCES chargebacks (id),
    CONSTRAINT chargeback_files_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES parties (id),
    CONSTRAINT chargeback_files_added_by_fkey FOREIGN KEY (added_by) REFERENCES staff (id),
    CONSTRAINT chargeback_files_origin CHECK (origin in ('UPLOAD', 'RECEIPT', 'LOG', 'MESSAGES', 'EMAILS', 'BUNDLE')),
    CONSTRAINT chargeback_files_not_empty CHECK (size_bytes > 0 and pages > 0),
    CONSTRAINT chargeback_files_bundled CHECK ((origin = 'BUNDLE') = (contents <> '[]'))
);
CREATE TRIGGER chargeback_files_stay BEFORE UPDATE OR DELETE ON chargeback_files
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();

CREATE TABLE chargeback_remarks (
    id BIGSERIAL NOT NULL,
    chargeback_id BIGINT NOT NULL,
    body VARCHAR NOT NULL,
    written_by BIGINT NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT chargeback_remarks_pkey PRIMARY KEY (id),
    CONSTRAINT chargeback_remarks_chargeback_id_fkey FOREIGN KEY (chargeback_id) REFERENCES chargebacks (id),
    CONSTRAINT chargeback_remarks_written_by_fkey FOREIGN KEY (written_by) REFERENCES staff (id),
    CONSTRAINT chargeback_remarks_says_something CHECK (btrim(body) <> '')
);
CREATE INDEX chargeback_remarks_chargeback_idx ON chargeback_remarks (chargeback_id);
CREATE TRIGGER chargeback_remarks_stay BEFORE UPDATE OR DELETE ON chargeback_remarks
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();

GRANT SELECT, INSERT ON chargeback_files, chargeback_remarks TO app;
GRANT SELECT ON chargeback_files, chargeback_remarks TO auditor;
GRANT USAGE ON SEQUENCE chargeback_files_id_seq, chargeback_remarks_id_seq TO app;
