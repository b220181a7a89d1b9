-- Closed periods, requests to reopen them and manual journals from before their entries kept a hash of them: nothing
-- proves those, so they are listed and never called intact.
INSERT INTO unhashed_content (part, row_id)
SELECT 'periods', id::text FROM periods
UNION ALL SELECT 'period_ends', id::text FROM periods WHERE reopening_id IS NOT NULL
UNION ALL SELECT 'period_reopenings', id::text FROM period_reopenings
UNION ALL SELECT 'period_reopening_ends', id::text FROM period_reopenings
    WHERE coalesce(settled_at::text, settled_by::text, note) IS NOT NULL
UNION ALL SELECT 'manual_journals', id::text FROM manual_journals
UNION ALL SELECT 'manual_journal_ends', id::text FROM manual_journals
    WHERE coalesce(settled_at::text, settled_by::text, note) IS NOT NULL;
