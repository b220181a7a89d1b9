-- Files that are made beside the pages: asked for by a session, made by a worker, given out once.
CREATE TABLE exports (
    id BIGSERIAL NOT NULL,
    kind VARCHAR NOT NULL,
    session_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    filter JSONB NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tries BIGINT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    facts JSONB,
    failure VARCHAR,
    finished_at TIMESTAMP WITH TIME ZONE,
    fetched_at TIMESTAMP WITH TIME ZONE,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT exports_pkey PRIMARY KEY (id),
    CONSTRAINT exports_session_id_fkey FOREIGN KEY (session_id) REFERENCES staff_sessions (id),
    CONSTRAINT exports_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT exports_kind CHECK (kind in ('audit', 'ledger')),
    CONSTRAINT exports_one_end CHECK (finished_at is null or failure is null),
    CONSTRAINT exports_finished CHECK ((finished_at is null) = (facts is null)),
    CONSTRAINT exports_fetched CHECK (fetched_at is null or finished_at is not null),
    CONSTRAINT exports_counts CHECK (done >= 0 and total >= 0 and tries >= 0)
);
CREATE UNIQUE INDEX exports_one_under_way_idx ON exports (session_id, kind)
    WHERE finished_at is null and failure is null;
CREATE INDEX exports_not_removed_idx ON exports (id) WHERE removed_at is null;
GRANT SELECT, INSERT ON exports TO app;
GRANT UPDATE (next_try_at, expires_at, tries, done, total, facts, failure, finished_at, fetched_at, removed_at)
    ON exports TO app;
GRANT USAGE ON SEQUENCE exports_id_seq TO app;
GRANT SELECT ON exports TO auditor;

-- What was given out once is not given out again, and is never another's.
CREATE FUNCTION exports_end_once() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
begin
    if old.fetched_at is not null and new.fetched_at is distinct from old.fetched_at
       or old.finished_at is not null and new.finished_at is distinct from old.finished_at
       or old.removed_at is not null and new.fetched_at is distinct from old.fetched_at then
        raise exception 'export % has ended: it is made and given out once', old.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
CREATE TRIGGER exports_end_once BEFORE UPDATE ON exports FOR EACH ROW EXECUTE FUNCTION exports_end_once();
REVOKE ALL ON FUNCTION exports_end_once() FROM PUBLIC;
