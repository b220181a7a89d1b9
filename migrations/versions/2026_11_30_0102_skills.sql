GRANT UPDATE (skills) ON staff TO app;
CREATE CONSTRAINT TRIGGER staff_skills_recorded AFTER UPDATE OF skills ON staff DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.skills IS DISTINCT FROM NEW.skills)
    EXECUTE FUNCTION require_entry('staff', 'id', '%:staff:change_skills');
