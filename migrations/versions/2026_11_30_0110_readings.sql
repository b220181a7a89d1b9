-- What a colleague opens is written down here before it is shown: numbers alone. Each hour that is over becomes one entry
-- of the log, and no row is called entered without it. docs/decisions/0038-reading-in-the-log.md says why so.
CREATE TABLE readings (
    staff_id BIGINT NOT NULL,
    hour TIMESTAMP WITH TIME ZONE NOT NULL,
    kind VARCHAR NOT NULL,
    object_id BIGINT NOT NULL,
    roles VARCHAR NOT NULL,
    session_id BIGINT,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    entered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT readings_pkey PRIMARY KEY (staff_id, hour, kind, object_id),
    CONSTRAINT readings_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT readings_session_id_fkey FOREIGN KEY (session_id) REFERENCES staff_sessions (id),
    CONSTRAINT readings_kind CHECK (kind in ('CASE', 'MESSAGES', 'EVIDENCE', 'EMAIL', 'PROJECT', 'CHARGEBACK', 'PARTY')),
    CONSTRAINT readings_in_order CHECK (first_at <= last_at)
);
CREATE INDEX readings_object_idx ON readings (kind, object_id);
CREATE INDEX readings_waiting_idx ON readings (hour, staff_id) WHERE entered_at is null;
GRANT SELECT, INSERT ON readings TO app;
GRANT UPDATE (last_at, entered_at) ON readings TO app;
GRANT SELECT ON readings TO auditor;
CREATE TRIGGER readings_entered_once BEFORE UPDATE OF entered_at ON readings FOR EACH ROW
    WHEN (OLD.entered_at IS NOT NULL) EXECUTE FUNCTION refuse_second_writing('entered_at');
CREATE CONSTRAINT TRIGGER readings_entered AFTER INSERT OR UPDATE OF entered_at ON readings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.entered_at IS NOT NULL)
    EXECUTE FUNCTION require_entry('staff', 'staff_id', 'desk:reading:enter');
