-- Money that came in was given to nobody, and what went out was paid by nobody. What was settled before stays as it was
-- said; a proposal of before that does not fit can be rejected, and not be settled.
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_direction CHECK (
    case coalesce(settled_as, proposed_as) when 'CONCESSION' then amount_minor < 0
    when 'REFUND_OWED' then amount_minor < 0 when 'RETURN_TO_PAYER' then amount_minor > 0
    when 'PAYEE_DEBT' then amount_minor > 0 else true end
) NOT VALID;
