-- A marketplace is told that a person was erased, by the id that it gave them: it has copies of its own to erase.
CREATE FUNCTION announce_erasure() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce_of_party('party.erased', NEW.id, jsonb_build_object('at', NEW.erased_at));
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION announce_erasure FROM PUBLIC;
CREATE TRIGGER parties_announce_erasure AFTER UPDATE OF erased_at ON parties FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION announce_erasure();
