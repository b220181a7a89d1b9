-- The log of rows costs less, and says the same: the same hashes, marks, keys and refusals.
--
-- A row's last change was looked for by a `name`, and the index is of text: the server read every change of that row there
-- ever was, and sorted them. The counter of a series of documents changes with each document.

-- Of this server, from its control file. It cannot change while the server runs, so a plan that is kept for the length of a
-- connection may keep it: IMMUTABLE has it read once for each plan, and not once for each row that is written.
CREATE FUNCTION own_system_identifier() RETURNS bigint LANGUAGE sql IMMUTABLE SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT system_identifier FROM pg_control_system()
$$;
REVOKE ALL ON FUNCTION own_system_identifier FROM PUBLIC;

-- Whether the database was restored is asked by the statement that writes the line: where it was, there is none. Which
-- server the seals are of is read each time.
CREATE OR REPLACE FUNCTION log_row_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp
    SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET bytea_output = 'hex'
    SET extra_float_digits = 1 AS $$
DECLARE
    was bytea;
    became bytea;
    was_row json;
    became_row json;
    key_was text;
    key_is text;
    salt_before uuid;
    salt_after uuid;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        was := convert_to(old::text, 'UTF8');
        was_row := row_to_json(old);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        became := convert_to(new::text, 'UTF8');
        became_row := row_to_json(new);
    END IF;
    IF was = became THEN
        RETURN NULL;
    END IF;
    IF TG_NARGS = 1 AND TG_ARGV[0] = 'id' THEN                      -- nearly every table: nothing is looked for in its JSON
        key_was := old.id;
        key_is := coalesce(new.id::text, key_was);
    ELSE
        FOR i IN 0 .. TG_NARGS - 1 LOOP
            key_was := concat_ws('-', key_was, was_row ->> TG_ARGV[i]);
            key_is := concat_ws('-', key_is, coalesce(became_row, was_row) ->> TG_ARGV[i]);
        END LOOP;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT salt INTO salt_before FROM row_changes
        WHERE relation = TG_TABLE_NAME::text AND row_key = key_was ORDER BY id DESC LIMIT 1;
    END IF;
    salt_before := coalesce(salt_before, gen_random_uuid());
    salt_after := CASE WHEN TG_OP = 'UPDATE' AND current_setting('escrow_desk.erasing', true) = 'on'
        THEN gen_random_uuid() ELSE salt_before END;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO row_changes (relation, row_key, op, columns, before, digest, marks, salt, login, recorded_at, xid)
        SELECT TG_TABLE_NAME, key_is, 'update', changed.columns,
               sha256(uuid_send(salt_before) || rtrim(substring(was FOR length(was) - 1), ',')),
               sha256(uuid_send(salt_after) || rtrim(substring(became FOR length(became) - 1), ',')),
               changed.marks, salt_after, session_user, clock_timestamp(), pg_current_xact_id()
        FROM (
            SELECT coalesce(string_agg(name, ' ') FILTER (WHERE value IS DISTINCT FROM was_value), ''),
                   string_agg(coalesce(substring(sha256(uuid_send(salt_after) || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
            FROM ROWS FROM (json_each_text(became_row), json_each_text(was_row))
                AS each(name, value, was_name, was_value)
        ) AS changed(columns, marks)
        WHERE coalesce((SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1) = own_system_identifier(), true);
    ELSE
        INSERT INTO row_changes (relation, row_key, op, before, digest, marks, salt, login, recorded_at, xid)
        SELECT TG_TABLE_NAME, key_is, lower(TG_OP),
               sha256(uuid_send(salt_before) || rtrim(substring(was FOR length(was) - 1), ',')),
               sha256(uuid_send(salt_after) || rtrim(substring(became FOR length(became) - 1), ',')),
               (SELECT string_agg(coalesce(substring(sha256(uuid_send(salt_after) || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
                FROM json_each_text(became_row) AS each(name, value)),
               salt_after, session_user, clock_timestamp(), pg_current_xact_id()
        WHERE coalesce((SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1) = own_system_identifier(), true);
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'This database was restored from a dump. Seal it once before anything is written.'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF TG_OP = 'UPDATE' AND key_is <> key_was THEN
        RAISE EXCEPTION 'The key of a row of % stays as it is: what is logged of it would be of another row.', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
