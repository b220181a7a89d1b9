-- A video is kept as a download, and shown as one picture of its beginning.
ALTER TABLE evidence DROP CONSTRAINT evidence_kind;
ALTER TABLE evidence ADD CONSTRAINT evidence_kind CHECK (kind in ('IMAGE', 'PDF', 'TEXT', 'VIDEO', 'OTHER'));
