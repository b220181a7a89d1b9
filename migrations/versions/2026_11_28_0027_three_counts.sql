ALTER TABLE reconciliation_runs ADD COLUMN in_suspense bigint, ADD COLUMN unmatched bigint;

ALTER TABLE reconciliation_runs
    DROP CONSTRAINT reconciliation_runs_status,
    ADD CONSTRAINT reconciliation_runs_status
        CHECK (status in ('RUNNING', 'CLEAN', 'SUSPENSE', 'BREAKS', 'FAILED')),
    ADD CONSTRAINT reconciliation_runs_clean
        CHECK (status <> 'CLEAN' or (breaks = 0 and coalesce(unmatched, 0) = 0 and coalesce(in_suspense, 0) = 0)),
    ADD CONSTRAINT reconciliation_runs_counted CHECK (in_suspense >= 0 and unmatched >= 0);

INSERT INTO status_moves (relation, from_status, to_status) VALUES ('reconciliation_runs', 'RUNNING', 'SUSPENSE');
