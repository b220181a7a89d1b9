-- Whoever stopped money does not let it go alone. What was lifted before this day stays as it was.
ALTER TABLE holds ADD CONSTRAINT holds_lifted_by_another CHECK (released_by <> placed_by) NOT VALID;
