-- The log of rows costs less, and says the same: the same hashes, marks, keys and refusals.
--
-- PL/pgSQL makes each of its expressions ready anew in each transaction, and an action writes one row of a table or two: so
-- the trigger has few, and what writes a line is of all tables, ready after the first row of a transaction.

-- Whether the seals are of this server. It cannot change while a connection is open: a database is restored into tables
-- that are new, of which no connection has a plan. IMMUTABLE has it asked once for each plan; where the answer was no, the
-- statements below ask each time, until somebody has sealed.
CREATE FUNCTION is_own_database() RETURNS boolean LANGUAGE plpgsql IMMUTABLE SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1) = own_system_identifier(), true);
END $$;

-- The line of a row that came; whether it was written. Under the settings of `log_row_change`, as the two below.
CREATE FUNCTION log_row_that_came(p_relation text, p_key text, p_new record) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_changes (relation, row_key, op, digest, marks, salt, login, recorded_at, xid)
    SELECT p_relation, p_key, 'insert', sha256(salted || rtrim(substring(became FOR length(became) - 1), ',')),
           (SELECT string_agg(coalesce(substring(sha256(salted || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
            FROM json_each_text(row_to_json(p_new)) AS each(name, value)),
           salt, session_user, clock_timestamp(), pg_current_xact_id()
    FROM (
        SELECT salt, uuid_send(salt) AS salted, convert_to(p_new::text, 'UTF8') AS became
        FROM (SELECT gen_random_uuid() AS salt OFFSET 0) AS own OFFSET 0
    ) AS made
    WHERE is_own_database()
       OR (SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1) = own_system_identifier();
    RETURN FOUND;
END $$;

-- The line of a row that changed: none where nothing did.
CREATE FUNCTION log_row_that_changed(p_relation text, p_key text, p_old record, p_new record) RETURNS boolean
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_changes (relation, row_key, op, columns, before, digest, marks, salt, login, recorded_at, xid)
    SELECT p_relation, p_key, 'update', changed.columns,
           sha256(uuid_send(salt_before) || rtrim(substring(was FOR length(was) - 1), ',')),
           sha256(uuid_send(salt) || rtrim(substring(became FOR length(became) - 1), ',')),
           changed.marks, salt, session_user, clock_timestamp(), pg_current_xact_id()
    FROM (
        SELECT was, became, salt_before,
               CASE WHEN current_setting('escrow_desk.erasing', true) = 'on' THEN gen_random_uuid() ELSE salt_before END AS salt
        FROM (
            SELECT convert_to(p_old::text, 'UTF8') AS was, convert_to(p_new::text, 'UTF8') AS became,
                   coalesce((SELECT c.salt FROM row_changes c WHERE c.relation = p_relation AND c.row_key = p_key
                             ORDER BY c.id DESC LIMIT 1), gen_random_uuid()) AS salt_before
            OFFSET 0
        ) AS found
        WHERE was <> became OFFSET 0
    ) AS made
    CROSS JOIN LATERAL (
        SELECT coalesce(string_agg(name, ' ') FILTER (WHERE value IS DISTINCT FROM was_value), ''),
               string_agg(coalesce(substring(sha256(uuid_send(salt) || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
        FROM ROWS FROM (json_each_text(row_to_json(p_new)), json_each_text(row_to_json(p_old)))
            AS each(name, value, was_name, was_value)
    ) AS changed(columns, marks)
    WHERE is_own_database()
       OR (SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1) = own_system_identifier();
    RETURN FOUND;
END $$;

-- The line of a row that went.
CREATE FUNCTION log_row_that_went(p_relation text, p_key text, p_old record) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_changes (relation, row_key, op, before, salt, login, recorded_at, xid)
    SELECT p_relation, p_key, 'delete', sha256(uuid_send(salt) || rtrim(substring(was FOR length(was) - 1), ',')),
           salt, session_user, clock_timestamp(), pg_current_xact_id()
    FROM (
        SELECT convert_to(p_old::text, 'UTF8') AS was,
               coalesce((SELECT c.salt FROM row_changes c WHERE c.relation = p_relation AND c.row_key = p_key
                         ORDER BY c.id DESC LIMIT 1), gen_random_uuid()) AS salt
        OFFSET 0
    ) AS made
    WHERE is_own_database()
       OR (SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1) = own_system_identifier();
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION is_own_database, log_row_that_came, log_row_that_changed, log_row_that_went FROM PUBLIC;

CREATE OR REPLACE FUNCTION log_row_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp
    SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET bytea_output = 'hex'
    SET extra_float_digits = 1 AS $$
DECLARE
    key_was text;
    key_is text;
BEGIN
    IF TG_NARGS = 1 AND TG_ARGV[0] = 'id' THEN                      -- nearly every table: nothing is looked for in its JSON
        IF TG_OP = 'INSERT' THEN
            key_is := new.id::text;
        ELSE
            key_was := old.id::text;
            key_is := coalesce(new.id, old.id)::text;
        END IF;
    ELSE
        FOR i IN 0 .. TG_NARGS - 1 LOOP
            key_was := concat_ws('-', key_was, row_to_json(old) ->> TG_ARGV[i]);
            key_is := concat_ws('-', key_is, coalesce(row_to_json(new), row_to_json(old)) ->> TG_ARGV[i]);
        END LOOP;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF log_row_that_came(TG_TABLE_NAME, key_is, new) THEN
            RETURN NULL;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF key_is <> key_was THEN
            RAISE EXCEPTION 'The key of a row of % stays as it is: what is logged of it would be of another row.', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF log_row_that_changed(TG_TABLE_NAME, key_is, old, new) OR old::text = new::text THEN
            RETURN NULL;
        END IF;
    ELSIF log_row_that_went(TG_TABLE_NAME, key_is, old) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'This database was restored from a dump. Seal it once before anything is written.'
        USING ERRCODE = 'object_not_in_prerequisite_state';
END $$;
