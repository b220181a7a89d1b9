-- A legal hold on a party: while it stands nothing about them is erased. It names who placed it, when and why.
CREATE TABLE legal_holds (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    placed_by BIGINT NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lifted_by BIGINT,
    lifted_at TIMESTAMP WITH TIME ZONE,
    lift_reason VARCHAR,
    CONSTRAINT legal_holds_pkey PRIMARY KEY (id),
    CONSTRAINT legal_holds_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT legal_holds_placed_by_fkey FOREIGN KEY (placed_by) REFERENCES staff (id),
    CONSTRAINT legal_holds_lifted_by_fkey FOREIGN KEY (lifted_by) REFERENCES staff (id),
    CONSTRAINT legal_holds_lifted_whole CHECK (
        (lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (lift_reason is null)),
    CONSTRAINT legal_holds_says_why CHECK (reason <> '' and lift_reason <> '')
);
CREATE INDEX legal_holds_party_id_idx ON legal_holds (party_id);
CREATE UNIQUE INDEX legal_holds_one_open_idx ON legal_holds (party_id) WHERE lifted_at is null;
GRANT SELECT, INSERT ON legal_holds TO app;
GRANT UPDATE (lifted_by, lifted_at, lift_reason) ON legal_holds TO app;
GRANT USAGE ON SEQUENCE legal_holds_id_seq TO app;
CREATE TRIGGER legal_holds_written_once BEFORE UPDATE ON legal_holds FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('lifted_by', 'lifted_at', 'lift_reason');
SELECT put_under_seal('legal_holds');
