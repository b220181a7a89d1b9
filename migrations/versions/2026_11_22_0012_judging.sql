-- How a member of staff likes to work. Without a row, or with NULL, as the policy of the platform says.
CREATE TABLE staff_preferences (
    staff_id BIGINT NOT NULL,
    blind BOOLEAN,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT staff_preferences_pkey PRIMARY KEY (staff_id),
    CONSTRAINT staff_preferences_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id)
);

-- What a mediator thought of a case on the evidence alone, at the moment when the names were shown to them.
CREATE TABLE case_reveals (
    ticket_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    draft JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT case_reveals_pkey PRIMARY KEY (ticket_id, staff_id),
    CONSTRAINT case_reveals_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT case_reveals_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id)
);
CREATE TRIGGER case_reveals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_reveals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- A decision that was carried out is corrected by a case of its own, linked to the one that it corrects.
ALTER TABLE tickets ADD COLUMN corrects_id BIGINT;
ALTER TABLE tickets ADD CONSTRAINT tickets_corrects_id_fkey FOREIGN KEY (corrects_id) REFERENCES tickets (id);
ALTER TABLE tickets ADD CONSTRAINT tickets_corrects_another CHECK (corrects_id <> id);
CREATE INDEX tickets_corrects_id_idx ON tickets (corrects_id) WHERE corrects_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON staff_preferences TO app;
GRANT SELECT, INSERT ON case_reveals TO app;
GRANT SELECT ON case_reveals TO auditor;
