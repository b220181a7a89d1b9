-- Which rows had their words before entries kept hashes. Every other row has one: whatever has neither was put in past
-- the desk. A database that kept hashes from its first row has none here, and nobody but its owner can add any.
CREATE TABLE unhashed_content (
    part text COLLATE "C" NOT NULL,
    row_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (part, row_id)
);
GRANT SELECT ON unhashed_content TO app, auditor;

CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
    SELECT DISTINCT name FROM audit_entries e, jsonb_object_keys(
        CASE WHEN jsonb_typeof(e.after -> 'content') = 'object' THEN e.after -> 'content' ELSE '{}' END) AS name
    WHERE e.after ? 'content';

-- Taken over is what comes before the first row with a hash, in the order in which rows came to have these words: no
-- sequence gives numbers below 1. Where no column orders them, every row without a hash.
DO $$
DECLARE
    of record;
BEGIN
    FOR of IN SELECT * FROM (VALUES
        ('messages', 'messages', 'id', 'id', 'id > 0'),
        ('evidence', 'evidence', 'id', 'id', 'id > 0'),
        ('evidence_notes', 'evidence_notes', 'id', 'id', 'id > 0'),
        ('party_requests', 'party_requests', 'id', 'id', 'id > 0'),
        ('offers', 'offers', 'id', 'id', 'id > 0'),
        ('decisions', 'decisions', 'id', 'id', 'id > 0'),
        ('tickets', 'cases', 'id', 'id', 'id > 0'),
        ('ticket_details', 'cases', 'id', NULL, 'id > 0'),
        ('ticket_mediators', 'cases', 'id', NULL, 'id > 0'),
        ('ticket_ends', 'cases', 'id', 'resolved_at', 'resolved_at IS NOT NULL'),
        ('holds', 'holds', 'id', 'id', 'id > 0'),
        ('hold_ends', 'holds', 'id', 'released_at', 'released_at IS NOT NULL'),
        ('reports', 'reports', 'id', 'id', 'id > 0'),
        ('report_ends', 'reports', 'id', 'settled_at', 'settled_at IS NOT NULL'),
        ('review_ends', 'risk_reviews', 'id', 'settled_at', 'settled_at IS NOT NULL'),
        ('chargeback_evidence', 'chargeback_evidence', 'id', 'id', 'id > 0'),
        ('chargeback_acceptances', 'chargeback_acceptances', 'id', 'id', 'id > 0'),
        ('handovers', 'handovers', 'id', 'id', 'id > 0'),
        ('recusals', 'recusals', 'case_id || ''-'' || staff_id', 'at', 'true'),
        ('staff', 'staff', 'id', 'id', 'id > 0'),
        ('staff_roles', 'staff', 'id', NULL, 'id > 0'),
        ('notifications', 'notifications', 'id', NULL, 'status = ''SENT''')
    ) AS parts (part, relation, number, since, has_words) LOOP
        EXECUTE format(
            'INSERT INTO unhashed_content SELECT %1$L, number FROM ('
            ' SELECT (%3$s)::text AS number, kept.name IS NULL AS bare,'
            '        %4$s AS before_the_first'
            ' FROM %2$I LEFT JOIN kept ON kept.name = %1$L || '':'' || (%3$s) WHERE %5$s) AS found'
            ' WHERE bare AND before_the_first',
            of.part, of.relation, of.number,
            CASE WHEN of.since IS NULL THEN 'true' ELSE format(
                'NOT bool_or(kept.name IS NOT NULL) OVER (ORDER BY %I, %s)', of.since, of.number) END,
            of.has_words);
    END LOOP;
END $$;

-- A decision stays what was confirmed, and each of its steps what it was when it was taken: the application changes its
-- status and what belongs to a step, and nothing that is written already. Only a note is written over, by a later step.
REVOKE UPDATE ON decisions, holds FROM app;
GRANT UPDATE (status, checker_id, checked_at, check_note, execute_at, executed_at) ON decisions TO app;
GRANT UPDATE (released_by, released_at, release_reason, news) ON holds TO app;

-- Each argument is a column that is written once; what it says stays.
CREATE FUNCTION refuse_second_writing() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    was CONSTANT jsonb := to_jsonb(OLD);
    is_now CONSTANT jsonb := to_jsonb(NEW);
    name text;
BEGIN
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF was -> name <> 'null' AND was -> name <> is_now -> name THEN
            RAISE EXCEPTION '% of row % of % is written already', name, was ->> 'id', TG_TABLE_NAME
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION refuse_second_writing FROM PUBLIC;
CREATE TRIGGER decisions_written_once BEFORE UPDATE ON decisions FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('checker_id', 'checked_at', 'execute_at', 'executed_at');
CREATE TRIGGER holds_written_once BEFORE UPDATE ON holds FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('released_by', 'released_at', 'release_reason');

-- What belongs to a step of a decision is written with the step, and not before or after it.
CREATE FUNCTION refuse_outside_a_step() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    RAISE EXCEPTION 'decision % is %: its approval, its note and its times are written with a step', OLD.id, OLD.status
        USING ERRCODE = 'check_violation';
END $$;
REVOKE ALL ON FUNCTION refuse_outside_a_step FROM PUBLIC;
CREATE TRIGGER decisions_written_with_a_step BEFORE UPDATE ON decisions FOR EACH ROW
    WHEN (OLD.status = NEW.status AND (OLD.checker_id, OLD.checked_at, OLD.check_note, OLD.execute_at, OLD.executed_at)
          IS DISTINCT FROM (NEW.checker_id, NEW.checked_at, NEW.check_note, NEW.execute_at, NEW.executed_at))
    EXECUTE FUNCTION refuse_outside_a_step();
