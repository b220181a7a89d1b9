-- Written by the owner of the tables in the transaction that restores the database, before any entry can be left: so
-- this table is not under seal, and only what ends the pause must be told of in the log.
CREATE TABLE restores (
    id BIGSERIAL NOT NULL,
    source VARCHAR NOT NULL,
    taken_at TIMESTAMPTZ NOT NULL,
    restored_at TIMESTAMPTZ NOT NULL,
    restored_by VARCHAR NOT NULL,
    released_at TIMESTAMPTZ,
    run_id BIGINT,
    reason VARCHAR,
    CONSTRAINT restores_pkey PRIMARY KEY (id),
    CONSTRAINT restores_run_id_fkey FOREIGN KEY (run_id) REFERENCES reconciliation_runs (id),
    CONSTRAINT restores_in_order CHECK (taken_at <= restored_at and restored_at <= released_at),
    CONSTRAINT restores_released_for_a_reason CHECK (
        case when released_at is null then run_id is null and reason is null
             else (run_id is null) <> (reason is null) and reason is distinct from '' end)
);
CREATE INDEX restores_open_idx ON restores (id) WHERE released_at IS NULL;
GRANT SELECT ON restores TO app, auditor;
GRANT UPDATE (released_at, run_id, reason) ON restores TO app;
CREATE TRIGGER restores_written_once BEFORE UPDATE ON restores FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('released_at', 'run_id', 'reason');
CREATE CONSTRAINT TRIGGER restores_recorded AFTER UPDATE ON restores
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('restore', 'id', '%:restore:%');

-- What is at Stripe already is only looked at there.
CREATE FUNCTION refuse_while_paused() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM restores WHERE released_at IS NULL) THEN
        RAISE EXCEPTION 'operation % is not sent: requests to Stripe are paused since this database was restored', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION refuse_while_paused FROM PUBLIC;
CREATE TRIGGER outgoing_operations_paused BEFORE UPDATE OF status ON outgoing_operations FOR EACH ROW
    WHEN (NEW.status = 'SENDING' AND NEW.provider_id IS NULL) EXECUTE FUNCTION refuse_while_paused();
