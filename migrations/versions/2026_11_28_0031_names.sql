-- Tables and constraints take the names of the glossary. What is under seal keeps its words.
ALTER TABLE half_written RENAME TO unsent_texts;
ALTER TABLE unsent_texts RENAME CONSTRAINT half_written_pkey TO unsent_texts_pkey;
ALTER TABLE unsent_texts RENAME CONSTRAINT half_written_staff_id_fkey TO unsent_texts_staff_id_fkey;
ALTER TABLE unsent_texts RENAME CONSTRAINT half_written_version TO unsent_texts_version;
ALTER TABLE unsent_texts RENAME CONSTRAINT half_written_sent_is_empty TO unsent_texts_sent_is_empty;
