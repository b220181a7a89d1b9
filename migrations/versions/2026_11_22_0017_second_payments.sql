-- A payment that came twice can be charged back as well: then the bank has returned it, as far as it took it.
ALTER TABLE duplicate_payments ADD COLUMN charged_back_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE duplicate_payments ADD CONSTRAINT duplicate_payments_charged_back
    CHECK (charged_back_minor >= 0 and charged_back_minor <= amount_minor);
ALTER TABLE duplicate_payments DROP CONSTRAINT duplicate_payments_status;
ALTER TABLE duplicate_payments ADD CONSTRAINT duplicate_payments_status
    CHECK (status in ('RETURNING', 'RETURNED', 'FAILED', 'CHARGED_BACK'));

INSERT INTO status_moves (relation, from_status, to_status) VALUES
    ('duplicate_payments', 'RETURNING', 'CHARGED_BACK'),
    ('duplicate_payments', 'FAILED', 'CHARGED_BACK'),
    ('duplicate_payments', 'CHARGED_BACK', 'RETURNING');

-- Which second payment a chargeback is about; such a one freezes nothing of the milestone's own.
ALTER TABLE chargebacks ADD COLUMN duplicate_id BIGINT;
ALTER TABLE chargebacks ADD CONSTRAINT chargebacks_duplicate_id_fkey
    FOREIGN KEY (duplicate_id) REFERENCES duplicate_payments (id);
