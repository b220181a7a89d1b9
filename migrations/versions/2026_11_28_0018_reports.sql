-- Whom a report is about, and which upheld reports a review has dealt with.
ALTER TABLE reports ADD COLUMN subject_id BIGINT;
ALTER TABLE reports ADD CONSTRAINT reports_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES parties (id);
UPDATE reports r
SET subject_id = CASE WHEN r.author_id = p.payer_id THEN p.payee_id ELSE p.payer_id END
FROM projects p WHERE p.id = r.project_id AND r.author_kind = 'party';
CREATE INDEX reports_upheld_idx ON reports (subject_id) WHERE outcome = 'UPHELD';

ALTER TABLE risk_reviews ADD COLUMN reports JSONB NOT NULL DEFAULT '[]';
UPDATE risk_reviews v
SET reports = coalesce((
    SELECT jsonb_agg(r.id ORDER BY r.id)
    FROM reports r JOIN milestones m ON m.project_id = r.project_id
    WHERE m.id = v.milestone_id AND r.outcome = 'UPHELD' AND r.settled_at <= v.settled_at
), '[]')
WHERE v.settled_at IS NOT NULL;
ALTER TABLE risk_reviews ALTER COLUMN reports DROP DEFAULT;

DROP TRIGGER reports_keep_words ON reports;
CREATE TRIGGER reports_keep_words BEFORE UPDATE ON reports
    FOR EACH ROW WHEN (
        (OLD.id, OLD.project_id, OLD.milestone_id, OLD.external_id, OLD.kind, OLD.source, OLD.severity, OLD.details,
         OLD.author_kind, OLD.author_id, OLD.subject_id, OLD.at)
        IS DISTINCT FROM
        (NEW.id, NEW.project_id, NEW.milestone_id, NEW.external_id, NEW.kind, NEW.source, NEW.severity, NEW.details,
         NEW.author_kind, NEW.author_id, NEW.subject_id, NEW.at)
    ) EXECUTE FUNCTION refuse_rewrite();

-- A review does not end while a report about its milestone, or about the project, waits for a person.
CREATE FUNCTION check_review_settled() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (
        SELECT FROM reports r JOIN milestones m ON m.project_id = r.project_id
        WHERE m.id = NEW.milestone_id AND r.settled_at IS NULL
          AND (r.milestone_id IS NULL OR r.milestone_id = m.id OR r.kind = 'OFF_PLATFORM_CONTACT')
    ) THEN
        RAISE EXCEPTION 'review % has a report that is not settled', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER risk_reviews_settled BEFORE UPDATE OF settled_at ON risk_reviews FOR EACH ROW
    WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL) EXECUTE FUNCTION check_review_settled();
