-- Nobody's money waits for ever: until when the payer has to answer, and since when a person has to look because
-- silence released nothing.
ALTER TABLE milestones ADD COLUMN answer_due_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE milestones ADD COLUMN unanswered_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX milestones_answer_due_idx ON milestones (answer_due_at)
    WHERE answer_due_at IS NOT NULL AND unanswered_at IS NULL;
CREATE INDEX milestones_unanswered_idx ON milestones (unanswered_at) WHERE unanswered_at IS NOT NULL;

-- What waits for an answer today gets the deadline that its policy gives to such work from now on.
UPDATE milestones m
SET answer_due_at = coalesce(
    m.auto_approve_at,
    m.completion_notice_at + make_interval(secs => (v.snapshot ->> 'auto_approve_after')::bigint)
)
FROM projects p JOIN policy_versions v ON v.id = p.policy_version_id
WHERE p.id = m.project_id AND m.status = 'PENDING_VERIFICATION' AND m.completion_notice_at IS NOT NULL;

-- A case that staff opened: in whose name it stands is `opened_by`, who opened it stands here.
ALTER TABLE tickets ADD COLUMN opened_by_staff BIGINT;
ALTER TABLE tickets ADD CONSTRAINT tickets_opened_by_staff_fkey FOREIGN KEY (opened_by_staff) REFERENCES staff (id);

-- A late complaint that is right can be paid back: verified, but all of the money still held.
INSERT INTO milestone_moves (from_status, to_status) VALUES ('VERIFIED', 'DISPUTED');

-- Out of that state only while nothing was given to either side.
CREATE FUNCTION check_case_about_verified() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payment_orders o
        WHERE o.milestone_id = NEW.id AND o.held_minor > 0
          AND o.payable_minor + o.refundable_minor + o.released_minor = 0
    ) THEN
        RAISE EXCEPTION 'milestone % is verified and its money is not held as a whole', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER milestones_case_about_verified BEFORE UPDATE OF status ON milestones FOR EACH ROW
    WHEN (OLD.status = 'VERIFIED' AND NEW.status = 'DISPUTED') EXECUTE FUNCTION check_case_about_verified();
