-- After a refund because nobody works on it any more, the mediator chooses whether the project goes on.
ALTER TABLE decisions ADD COLUMN ends_project BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE decisions ADD CONSTRAINT decisions_ends_project CHECK (
    not ends_project or outcome = 'FULL_REFUND'
    and ground in ('SERVICE_NOT_STARTED', 'PROVIDER_NO_SHOW', 'AGREED_CANCELLATION'));

-- What was confirmed stays as it was confirmed.
CREATE TRIGGER decisions_keep_ends_project BEFORE UPDATE OF ends_project ON decisions
    FOR EACH ROW WHEN (OLD.ends_project IS DISTINCT FROM NEW.ends_project) EXECUTE FUNCTION refuse_rewrite();
