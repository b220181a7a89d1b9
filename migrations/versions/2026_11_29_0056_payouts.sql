-- Who looks after a payout, the provider's word for why it failed, and what a member of staff has waived of its fee.
ALTER TABLE payouts
    ADD COLUMN owner_id BIGINT REFERENCES staff (id),
    ADD COLUMN failure_code TEXT,
    ADD COLUMN fee_waived_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN fee_waived_by BIGINT REFERENCES staff (id),
    ADD CONSTRAINT payouts_fee_waived_by_someone
        CHECK (fee_waived_minor >= 0 and (fee_waived_minor > 0) = (fee_waived_by is not null));
CREATE INDEX payouts_unfinished_idx ON payouts (id) WHERE status not in ('PAID', 'CANCELED');
ALTER TABLE payout_offers ADD COLUMN fee_waived BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE stripe_balances ADD COLUMN available_minor BIGINT;
