-- A hold may name the moment at which it is expected to end; nothing lifts it by itself then, its placer is reminded.
ALTER TABLE holds
    ADD COLUMN expected_end TIMESTAMPTZ,
    ADD COLUMN reminded_at TIMESTAMPTZ,
    ADD CONSTRAINT holds_expected_after_placed CHECK (expected_end > placed_at);
CREATE INDEX holds_expected_end_idx ON holds (expected_end) WHERE released_at is null and reminded_at is null;
GRANT UPDATE (expected_end, reminded_at) ON holds TO app;

-- All of a payee's money is stopped at once, whatever milestone it is of, now or later. Numbers are those of holds, so
-- that H-17 is one hold.
CREATE TABLE payee_holds (
    id BIGINT NOT NULL DEFAULT nextval('holds_id_seq'),
    party_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    placed_by BIGINT NOT NULL,
    placed_at TIMESTAMPTZ NOT NULL,
    expected_end TIMESTAMPTZ,
    reminded_at TIMESTAMPTZ,
    released_by BIGINT,
    released_at TIMESTAMPTZ,
    release_reason TEXT,
    CONSTRAINT payee_holds_pkey PRIMARY KEY (id),
    CONSTRAINT payee_holds_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT payee_holds_placed_by_fkey FOREIGN KEY (placed_by) REFERENCES staff (id),
    CONSTRAINT payee_holds_released_by_fkey FOREIGN KEY (released_by) REFERENCES staff (id),
    CONSTRAINT payee_holds_kind CHECK (kind in ('MANUAL', 'RISK')),
    CONSTRAINT payee_holds_lifted_by_another CHECK (released_by <> placed_by),
    CONSTRAINT payee_holds_lifted_whole CHECK (
        (released_at is null) = (released_by is null) and (released_at is null) = (release_reason is null)),
    CONSTRAINT payee_holds_expected_after_placed CHECK (expected_end > placed_at)
);
CREATE INDEX payee_holds_active_idx ON payee_holds (party_id) WHERE released_at is null;
CREATE INDEX payee_holds_expected_end_idx ON payee_holds (expected_end)
    WHERE released_at is null and reminded_at is null;
GRANT SELECT, INSERT ON payee_holds TO app;
GRANT UPDATE (expected_end, reminded_at, released_by, released_at, release_reason) ON payee_holds TO app;
GRANT SELECT ON payee_holds TO auditor;
CREATE TRIGGER payee_holds_written_once BEFORE UPDATE ON payee_holds FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('released_by', 'released_at', 'release_reason');
CREATE FUNCTION payee_hold_is_of_a_payee() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM projects WHERE payee_id = NEW.party_id) THEN
        RAISE EXCEPTION 'party % is paid for no project: a hold would stop nothing', NEW.party_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION payee_hold_is_of_a_payee FROM PUBLIC;
CREATE TRIGGER payee_holds_of_a_payee BEFORE INSERT ON payee_holds FOR EACH ROW
    EXECUTE FUNCTION payee_hold_is_of_a_payee();
