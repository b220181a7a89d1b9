-- The search finds documents by their amount.
CREATE INDEX receipts_total_idx ON receipts (total_minor);
