-- The bank account because of which a payout failed last, as Stripe names it: it goes by itself to another one.
ALTER TABLE payouts ADD COLUMN failed_bank VARCHAR;
