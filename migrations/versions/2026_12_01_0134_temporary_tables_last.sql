-- PostgreSQL looks for a table among the temporary ones first, unless the path of a function names them. So a login could
-- lay a table of its own before the guards, `audit_entries` or another, and show them an entry that there is not. Every
-- function with a path of its own looks there last.
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN
        SELECT p.oid::regprocedure AS name, substr(setting, length('search_path=') + 1) AS path
        FROM pg_proc p, unnest(p.proconfig) AS setting
        WHERE p.pronamespace = 'public'::regnamespace AND setting LIKE 'search_path=%' AND setting NOT LIKE '%pg_temp%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %s, pg_temp', own.name, own.path);
    END LOOP;
END $$;
