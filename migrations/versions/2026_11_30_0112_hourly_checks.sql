-- The books alone are checked each hour, beside the night's run of everything.
ALTER TABLE check_runs ADD COLUMN books_only BOOLEAN DEFAULT FALSE NOT NULL;
ALTER TABLE check_runs ALTER COLUMN books_only DROP DEFAULT;
DROP INDEX check_runs_one_under_way_idx;
CREATE UNIQUE INDEX check_runs_one_under_way_idx ON check_runs (books_only)
    WHERE finished_at IS NULL AND failure IS NULL;
