-- The log of rows costs less to write, and says the same: the same hashes, marks, keys and refusals. What is new: a row's
-- JSON is read once (an update's once on each side) and not for each value, the text is trimmed as bytes, and one law of
-- one function stands where four expressions were unpacked for each row. docs/benchmarks.md has what each of them took.
CREATE FUNCTION is_whole_change(op text, columns text, before bytea, digest bytea, marks bytea) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN op IN ('insert', 'take_in')
            THEN columns IS NULL AND before IS NULL AND digest IS NOT NULL AND marks IS NOT NULL
        WHEN op = 'update'
            THEN columns IS NOT NULL AND before IS NOT NULL AND digest IS NOT NULL AND marks IS NOT NULL
        WHEN op = 'delete'
            THEN columns IS NULL AND before IS NOT NULL AND digest IS NULL AND marks IS NULL
        ELSE false
    END;
END $$;
REVOKE ALL ON FUNCTION is_whole_change FROM PUBLIC;
-- Not valid: what is there already was held by the four.
ALTER TABLE row_changes ADD CONSTRAINT row_changes_whole
    CHECK (is_whole_change(op, columns, before, digest, marks)) NOT VALID;
ALTER TABLE row_changes DROP CONSTRAINT row_changes_op_check, DROP CONSTRAINT row_changes_check,
    DROP CONSTRAINT row_changes_check1, DROP CONSTRAINT row_changes_check2;

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
    made row_changes;
    salt_before uuid;
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
    IF (SELECT system_identifier FROM seal_epochs ORDER BY epoch DESC LIMIT 1)
        <> (SELECT system_identifier FROM pg_control_system())
    THEN
        RAISE EXCEPTION 'This database was restored from a dump. Seal it once before anything is written.'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF TG_NARGS = 1 AND TG_ARGV[0] = 'id' THEN                      -- nearly every table: nothing is looked for in its JSON
        key_was := old.id;
        made.row_key := coalesce(new.id::text, key_was);
    ELSE
        FOR i IN 0 .. TG_NARGS - 1 LOOP
            key_was := concat_ws('-', key_was, was_row ->> TG_ARGV[i]);
            made.row_key := concat_ws('-', made.row_key, coalesce(became_row, was_row) ->> TG_ARGV[i]);
        END LOOP;
    END IF;
    IF TG_OP = 'UPDATE' AND made.row_key <> key_was THEN
        RAISE EXCEPTION 'The key of a row of % stays as it is: what is logged of it would be of another row.', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT salt INTO salt_before FROM row_changes
        WHERE relation = TG_TABLE_NAME AND row_key = made.row_key ORDER BY id DESC LIMIT 1;
    END IF;
    salt_before := coalesce(salt_before, gen_random_uuid());
    made.salt := CASE WHEN TG_OP = 'UPDATE' AND current_setting('escrow_desk.erasing', true) = 'on'
        THEN gen_random_uuid() ELSE salt_before END;
    IF TG_OP = 'INSERT' THEN
        made.marks := (
            SELECT string_agg(coalesce(substring(sha256(uuid_send(made.salt) || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
            FROM json_each_text(became_row));
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT coalesce(string_agg(name, ' ') FILTER (WHERE value IS DISTINCT FROM was_value), ''),
               string_agg(coalesce(substring(sha256(uuid_send(made.salt) || convert_to(value, 'UTF8')) FOR 4), '\x00000000'), '')
        INTO made.columns, made.marks
        FROM ROWS FROM (json_each_text(became_row), json_each_text(was_row)) AS each(name, value, was_name, was_value);
    END IF;
    INSERT INTO row_changes (relation, row_key, op, columns, before, digest, marks, salt, login, recorded_at, xid)
    VALUES (TG_TABLE_NAME, made.row_key, lower(TG_OP), made.columns,
            sha256(uuid_send(salt_before) || rtrim(substring(was FOR length(was) - 1), ',')),
            sha256(uuid_send(made.salt) || rtrim(substring(became FOR length(became) - 1), ',')),
            made.marks, made.salt, session_user, clock_timestamp(), pg_current_xact_id());
    RETURN NULL;
END $$;
