-- Nothing here is proof: a run can be made again at any time. The log has an entry of each that ended.
CREATE TABLE check_runs (
    id BIGSERIAL NOT NULL,
    requested_by BIGINT,
    started_at TIMESTAMPTZ NOT NULL,
    next_try_at TIMESTAMPTZ NOT NULL,
    tries BIGINT NOT NULL,
    part VARCHAR,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    results JSONB NOT NULL,
    failure VARCHAR,
    finished_at TIMESTAMPTZ,
    CONSTRAINT check_runs_pkey PRIMARY KEY (id),
    CONSTRAINT check_runs_requested_by_fkey FOREIGN KEY (requested_by) REFERENCES staff (id),
    CONSTRAINT check_runs_part CHECK (part in ('BOOKS', 'RECORD', 'EVIDENCE', 'CASE_FILES')),
    CONSTRAINT check_runs_one_end CHECK (finished_at is null or failure is null),
    CONSTRAINT check_runs_counts CHECK (done >= 0 AND total >= 0 AND tries >= 0)
);
CREATE UNIQUE INDEX check_runs_one_under_way_idx ON check_runs ((true)) WHERE finished_at IS NULL AND failure IS NULL;
GRANT SELECT, INSERT ON check_runs TO app;
GRANT UPDATE (next_try_at, tries, part, done, total, results, failure, finished_at) ON check_runs TO app;
GRANT USAGE ON SEQUENCE check_runs_id_seq TO app;
