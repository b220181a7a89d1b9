-- What a person reported, what a review of risk says about them, their late complaint and a document with their name are
-- read as a case is; and whoever finds a person by a name that their page masks knows it from then on.
ALTER TABLE readings DROP CONSTRAINT readings_kind;
ALTER TABLE readings ADD CONSTRAINT readings_kind CHECK (kind in (
    'CASE', 'MESSAGES', 'EVIDENCE', 'EMAIL', 'PROJECT', 'CHARGEBACK', 'PARTY', 'REVEALED_NAME', 'REPORT', 'RISK_REVIEW',
    'HOLD', 'DOCUMENT', 'FOUND_BY_NAME'));

-- A late complaint is a payer's own words.
CREATE VIEW masked.holds WITH (security_invoker) AS SELECT
    t.id, t.milestone_id, t.kind,
    case when t.kind <> 'COMPLAINT' or masked.sees('words', (
        select p.payer_id from public.milestones m join public.projects p on p.id = m.project_id where m.id = t.milestone_id))
        then t.reason else masked.word(t.reason) end AS reason,
    t.report_id, t.placed_by, t.placed_at, t.released_by, t.released_at, t.release_reason, t.stripe_object, t.news,
    t.expected_end, t.reminded_at
FROM public.holds t;
GRANT SELECT ON masked.holds TO app;

-- The first letters of two words at most, and what is no word ("&") is none: a mask is short enough for the party's number,
-- which tells two rows apart, to be seen in a column. core/rules/masking.py has the same.
CREATE OR REPLACE FUNCTION masked.name(value varchar, party bigint) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IN ('', 'erased') THEN value
        ELSE coalesce(nullif(btrim(regexp_replace(
            regexp_replace(regexp_replace(value, '(^|\s)[^\w\s]\S*', '\1', 'g'), '(\S)\S*', '\1•••', 'g'),
            '^\s*(\S+)(?:\s+(\S+))?.*$', '\1 \2')), ''), '•••') || ' #' || party END
$$;
