-- `urgent` letters go at once and alone; the others of one reader may go in one mail, whose number all of them keep.
ALTER TABLE notifications
    ADD COLUMN staff_id BIGINT,
    ADD COLUMN urgent BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN mail VARCHAR,
    ADD COLUMN about_kind VARCHAR,
    ADD COLUMN about_id BIGINT,
    ALTER COLUMN party_id DROP NOT NULL,
    DROP CONSTRAINT notifications_status;

UPDATE notifications SET mail = 'notification-' || id || '.' || (SELECT name FROM installation) WHERE status = 'SENT';
ALTER TABLE notifications ALTER COLUMN urgent DROP DEFAULT;

ALTER TABLE notifications
    ADD CONSTRAINT notifications_status CHECK (status in ('QUEUED', 'SENT', 'FAILED', 'MUTED')),
    ADD CONSTRAINT notifications_one_reader CHECK (num_nonnulls(party_id, staff_id) = 1),
    ADD CONSTRAINT notifications_about_something CHECK ((about_kind is null) = (about_id is null)),
    ADD CONSTRAINT notifications_sent_in_a_mail CHECK (status <> 'SENT' or mail is not null),
    ADD CONSTRAINT notifications_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES staff (id);

CREATE INDEX notifications_staff_id_idx ON notifications (staff_id);

CREATE INDEX notifications_project_id_idx ON notifications (project_id);

CREATE INDEX notifications_about_idx ON notifications (about_kind, about_id);

CREATE INDEX notifications_mail_idx ON notifications (mail) WHERE status = 'QUEUED';

CREATE INDEX notifications_failed_idx ON notifications (id) WHERE status = 'FAILED';

-- How often a party wants the letters that are not urgent, and which of them not at all.
CREATE TABLE letter_preferences (
    party_id BIGINT NOT NULL,
    frequency VARCHAR NOT NULL,
    muted JSONB NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT letter_preferences_pkey PRIMARY KEY (party_id),
    CONSTRAINT letter_preferences_frequency CHECK (frequency in ('AT_ONCE', 'TOGETHER', 'DAILY', 'WEEKLY')),
    CONSTRAINT letter_preferences_party_id_fkey FOREIGN KEY(party_id) REFERENCES parties (id)
);

GRANT SELECT, INSERT, UPDATE ON letter_preferences TO app;
GRANT SELECT ON letter_preferences TO auditor;
