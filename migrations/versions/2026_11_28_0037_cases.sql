-- What a mediator decides is a case, in every table. What is under seal (audit entries, plans, journals) keeps its word.
ALTER TABLE tickets RENAME TO cases;
ALTER SEQUENCE tickets_id_seq RENAME TO cases_id_seq;

DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT c.conrelid::regclass AS place, c.conname AS name FROM pg_constraint c
        WHERE c.connamespace = 'public'::regnamespace AND c.contype <> 't' AND c.conname LIKE '%ticket%'
        AND c.conrelid <> 'audit_entries'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', each.place, each.name, replace(each.name, 'ticket', 'case'));
    END LOOP;
    FOR each IN SELECT i.relname AS name FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        WHERE i.relnamespace = 'public'::regnamespace AND i.relname LIKE '%ticket%' AND x.indrelid <> 'audit_entries'::regclass
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', each.name, replace(each.name, 'ticket', 'case'));
    END LOOP;
    FOR each IN SELECT t.tgname AS name FROM pg_trigger t
        WHERE t.tgrelid = 'cases'::regclass AND NOT t.tgisinternal AND t.tgname LIKE '%ticket%'
    LOOP
        EXECUTE format('ALTER TRIGGER %I ON cases RENAME TO %I', each.name, replace(each.name, 'ticket', 'case'));
    END LOOP;
    FOR each IN SELECT attrelid::regclass AS place FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname = 'ticket_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
        AND c.oid <> 'audit_entries'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s RENAME COLUMN ticket_id TO case_id', each.place);
    END LOOP;
    FOR each IN SELECT pg_get_functiondef(p.oid) AS told FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
        AND p.proname IN ('announce_decision', 'announce_offer', 'announce_message', 'keep_recusals',
                          'keep_recusals_from_decisions', 'end_requests', 'recusal_leaves_no_decision')
    LOOP
        EXECUTE regexp_replace(regexp_replace(each.told, '\mtickets\M', 'cases', 'g'), '\mticket_id\M', 'case_id', 'g');
    END LOOP;
END
$$;

UPDATE status_moves SET relation = 'cases' WHERE relation = 'tickets';
