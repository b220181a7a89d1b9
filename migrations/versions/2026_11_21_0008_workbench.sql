-- What a member of staff has chosen and written about a case so far. Emptied, not deleted, when it is decided.
CREATE TABLE decision_drafts (
    ticket_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    content JSONB NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT decision_drafts_pkey PRIMARY KEY (ticket_id, staff_id),
    CONSTRAINT decision_drafts_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT decision_drafts_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id)
);

-- A division that one party proposes to the other. `plan` is what was booked when it was accepted.
CREATE TABLE offers (
    id BIGSERIAL NOT NULL,
    ticket_id BIGINT NOT NULL,
    proposed_by BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    release_minor BIGINT NOT NULL,
    refund_minor BIGINT NOT NULL,
    note VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    plan JSONB,
    plan_hash VARCHAR,
    CONSTRAINT offers_pkey PRIMARY KEY (id),
    CONSTRAINT offers_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT offers_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES parties (id),
    CONSTRAINT offers_status CHECK (status in ('OPEN', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'EXPIRED')),
    CONSTRAINT offers_amounts CHECK (release_minor >= 0 and refund_minor >= 0 and release_minor + refund_minor > 0),
    CONSTRAINT offers_ended CHECK ((status = 'OPEN') = (ended_at is null)),
    CONSTRAINT offers_accepted_has_plan CHECK ((status = 'ACCEPTED') = (plan is not null and plan_hash is not null))
);
CREATE INDEX offers_ticket_id_idx ON offers (ticket_id);
CREATE UNIQUE INDEX offers_one_open_idx ON offers (ticket_id) WHERE status = 'OPEN';
CREATE UNIQUE INDEX offers_one_accepted_idx ON offers (ticket_id) WHERE status = 'ACCEPTED';
CREATE INDEX offers_due_idx ON offers (expires_at) WHERE status = 'OPEN';

-- What was offered stays as it was, and an offer that has ended stays ended.
CREATE TRIGGER offers_keep_terms BEFORE UPDATE ON offers
    FOR EACH ROW WHEN (
        OLD.status <> 'OPEN'
        OR (OLD.ticket_id, OLD.proposed_by, OLD.currency, OLD.release_minor, OLD.refund_minor, OLD.note, OLD.made_at,
            OLD.expires_at)
        IS DISTINCT FROM
        (NEW.ticket_id, NEW.proposed_by, NEW.currency, NEW.release_minor, NEW.refund_minor, NEW.note, NEW.made_at,
         NEW.expires_at)
    ) EXECUTE FUNCTION refuse_rewrite();

-- The parties may agree before a mediator is there.
INSERT INTO milestone_moves (from_status, to_status) VALUES ('DISPUTED', 'VERIFIED');

-- What staff noted about a piece of evidence, for staff.
CREATE TABLE evidence_notes (
    id BIGSERIAL NOT NULL,
    evidence_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    body VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT evidence_notes_pkey PRIMARY KEY (id),
    CONSTRAINT evidence_notes_evidence_id_fkey FOREIGN KEY (evidence_id) REFERENCES evidence (id),
    CONSTRAINT evidence_notes_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT evidence_notes_not_empty CHECK (body <> '')
);
CREATE INDEX evidence_notes_evidence_id_idx ON evidence_notes (evidence_id);
CREATE TRIGGER evidence_notes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

GRANT SELECT, INSERT, UPDATE ON decision_drafts, offers TO app;
GRANT SELECT, INSERT ON evidence_notes TO app;
GRANT SELECT ON offers, evidence_notes TO auditor;
GRANT USAGE ON SEQUENCE offers_id_seq, evidence_notes_id_seq TO app;
