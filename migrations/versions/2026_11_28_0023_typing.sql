-- Words are kept wherever they are typed, not in cases alone: a place is a kind, a number and a field.
ALTER TABLE half_written DROP CONSTRAINT half_written_pkey;
UPDATE half_written SET place = 'case.' || ticket_id || '.' || place;
ALTER TABLE half_written DROP COLUMN ticket_id;
ALTER TABLE half_written ADD CONSTRAINT half_written_pkey PRIMARY KEY (staff_id, place);
-- Whoever saves says from which version their words began; `writer` is the tab that saved last.
ALTER TABLE half_written ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE half_written ADD COLUMN writer VARCHAR NOT NULL DEFAULT '';
ALTER TABLE half_written ADD COLUMN sent BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE half_written ALTER COLUMN version DROP DEFAULT;
ALTER TABLE half_written ALTER COLUMN writer DROP DEFAULT;
ALTER TABLE half_written ALTER COLUMN sent DROP DEFAULT;
ALTER TABLE half_written ADD CONSTRAINT half_written_version CHECK (version > 0);
ALTER TABLE half_written ADD CONSTRAINT half_written_sent_is_empty CHECK (not sent or body = '');

-- The words of an unfinished decision are kept like all others.
INSERT INTO half_written (staff_id, place, body, version, writer, sent, updated_at)
    SELECT d.staff_id, 'case.' || d.ticket_id || '.' || w.key, w.value, 1, '', false, d.updated_at
      FROM decision_drafts d CROSS JOIN LATERAL jsonb_each_text(d.content) w
     WHERE w.key ~ '^(reasons|passage-payer|passage-payee|item-[0-9]+-title)$'
    ON CONFLICT DO NOTHING;
UPDATE decision_drafts d
   SET content = coalesce((SELECT jsonb_object_agg(w.key, w.value) FROM jsonb_each(d.content) w
                            WHERE w.key !~ '^(reasons|passage-payer|passage-payee|item-[0-9]+-title)$'), '{}');
ALTER TABLE decision_drafts ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE decision_drafts ADD COLUMN writer VARCHAR NOT NULL DEFAULT '';
ALTER TABLE decision_drafts ALTER COLUMN version DROP DEFAULT;
ALTER TABLE decision_drafts ALTER COLUMN writer DROP DEFAULT;
ALTER TABLE decision_drafts ADD CONSTRAINT decision_drafts_version CHECK (version > 0);

-- Under which key a person's browser keeps words that it could not save yet: the next person there cannot read them.
CREATE TABLE tab_keys (
    staff_id BIGINT NOT NULL,
    key BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT tab_keys_pkey PRIMARY KEY (staff_id),
    CONSTRAINT tab_keys_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT tab_keys_long_enough CHECK (octet_length(key) = 32)
);
GRANT SELECT, INSERT ON tab_keys TO app;

-- A party's time to answer ends no later than the time to decide. Once a case is escalated, that time is over.
UPDATE tickets SET answer_due_at = decision_due_at, due_at = least(due_at, decision_due_at)
 WHERE not escalated AND answer_due_at > decision_due_at;
ALTER TABLE tickets ADD CONSTRAINT tickets_answer_before_decision CHECK (
    escalated or answer_due_at is null or decision_due_at is null or answer_due_at <= decision_due_at);
