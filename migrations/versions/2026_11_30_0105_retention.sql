-- A retention run is erasures of one month: those whom the policy keeps no longer. docs/decisions/0034-retention-runs.md says why so.
ALTER TABLE erasures ADD COLUMN retention_month DATE;
ALTER TABLE erasures ADD CONSTRAINT erasures_month_begins CHECK (extract(day from retention_month) = 1);
CREATE INDEX erasures_retention_idx ON erasures (retention_month) WHERE retention_month is not null;
