-- The bank account because of which a payout failed last, as Stripe names it: it goes by itself to another one.
ALTER TABLE payouts ADD COLUMN failed_bank VARCHAR;
-- A payment that its payer did not confirm in time, or called off, is canceled at Stripe from then on.
ALTER TABLE charges ADD COLUMN called_off_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX charges_confirm_by_idx ON charges (confirm_by) WHERE status = 'REQUIRES_ACTION' AND called_off_at IS NULL;
