-- An event of a document has its number, and that of the receipt which an invoice or a credit note refers to.
CREATE OR REPLACE FUNCTION announce_receipt() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM announce('receipt.issued', NEW.milestone_id, jsonb_build_object(
        'receipt', NEW.id, 'number', NEW.number, 'kind', NEW.kind,
        'refers_to', (SELECT number FROM receipts WHERE id = NEW.original_id),
        'payer', known_as(NEW.payer_id), 'payee', known_as(NEW.payee_id),
        'total', money_told(NEW.total_minor, NEW.currency), 'at', NEW.at));
    RETURN NULL;
END
$$;

-- Events that were logged before get them too: a log is read by the shape of today.
ALTER TABLE outgoing_events DISABLE TRIGGER outgoing_events_keep_data;
UPDATE outgoing_events AS event
SET data = event.data || jsonb_build_object(
    'number', document.number, 'refers_to', (SELECT number FROM receipts WHERE id = document.original_id))
FROM receipts AS document
WHERE event.kind = 'receipt.issued' AND document.id = (event.data ->> 'receipt')::bigint;
ALTER TABLE outgoing_events ENABLE TRIGGER outgoing_events_keep_data;
