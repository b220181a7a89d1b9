-- A payee's debt that one person proposes to write off and another does; and the reminders that the payee was sent.
CREATE TABLE debt_write_offs (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR DEFAULT 'PROPOSED' NOT NULL,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    CONSTRAINT debt_write_offs_pkey PRIMARY KEY (id),
    CONSTRAINT debt_write_offs_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT debt_write_offs_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES staff (id),
    CONSTRAINT debt_write_offs_settled_by_fkey FOREIGN KEY (settled_by) REFERENCES staff (id),
    CONSTRAINT debt_write_offs_amount CHECK (amount_minor > 0),
    CONSTRAINT debt_write_offs_status CHECK (status in ('PROPOSED', 'DONE', 'REJECTED', 'WITHDRAWN', 'RETURNED')),
    CONSTRAINT debt_write_offs_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null)
        and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)),
    CONSTRAINT debt_write_offs_two_people CHECK (status not in ('DONE', 'REJECTED') or settled_by <> proposed_by)
);
CREATE UNIQUE INDEX debt_write_offs_one_open_idx ON debt_write_offs (party_id, currency) WHERE status = 'PROPOSED';
CREATE TABLE debt_reminders (
    id BIGSERIAL NOT NULL,
    party_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    owed_minor BIGINT NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT debt_reminders_pkey PRIMARY KEY (id),
    CONSTRAINT debt_reminders_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT debt_reminders_owed CHECK (owed_minor > 0)
);
CREATE INDEX debt_reminders_party_idx ON debt_reminders (party_id, currency, sent_at);
GRANT SELECT, INSERT ON debt_write_offs, debt_reminders TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON debt_write_offs TO app;
GRANT SELECT ON debt_write_offs, debt_reminders TO auditor;
GRANT USAGE ON SEQUENCE debt_write_offs_id_seq, debt_reminders_id_seq TO app;
INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('debt_write_offs', 'PROPOSED', 'DONE'),
    ('debt_write_offs', 'PROPOSED', 'REJECTED'),
    ('debt_write_offs', 'PROPOSED', 'WITHDRAWN'),
    ('debt_write_offs', 'PROPOSED', 'RETURNED');
CREATE TRIGGER debt_write_offs_legal_move BEFORE UPDATE OF status ON debt_write_offs FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE CONSTRAINT TRIGGER debt_write_offs_recorded AFTER UPDATE OF status ON debt_write_offs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('debt_write_off', 'status', 'id');
CREATE TRIGGER debt_write_offs_stand_on_their_maker BEFORE UPDATE OF status ON debt_write_offs FOR EACH ROW
    WHEN (OLD.status = 'PROPOSED' AND NEW.status = 'DONE')
    EXECUTE FUNCTION stands_on_its_maker('proposed_by', 'finance');
