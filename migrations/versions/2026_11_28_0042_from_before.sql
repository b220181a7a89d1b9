-- Whether greeting and closing were put around an e-mail when it was sent: e-mails of before went without them.
ALTER TABLE notifications ADD COLUMN framed boolean NOT NULL DEFAULT false;

-- Decisions that a lost chargeback voided before every step left an entry: their steps are proved by nothing.
INSERT INTO unhashed_content (part, row_id)
SELECT 'decision_steps', d.id::text FROM decisions d WHERE d.status = 'VOIDED' AND NOT EXISTS (
    SELECT FROM audit_entries e WHERE e.object_kind = 'decision' AND e.object_id = d.id::text
    AND e.action IN ('system:decision:void', 'mediator:decision:void'));
