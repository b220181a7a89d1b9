-- The fee of a chargeback is in the currency of the line that bears it, which is another one where Stripe converted.
ALTER TABLE chargebacks ADD COLUMN fees_currency VARCHAR;
UPDATE chargebacks SET fees_currency = booked_currency;
UPDATE chargebacks c SET fees_currency = f.currency, fees_minor = f.fees
FROM (
    SELECT j.cause ->> 'dispute' AS dispute, min(b.currency) AS currency, sum(b.fee) AS fees
    FROM balance_transactions b JOIN journals j ON j.id = b.journal_id
    WHERE b.for_currency IS NOT NULL AND j.cause ? 'dispute'
    GROUP BY 1 HAVING count(DISTINCT b.currency) = 1
) f
WHERE f.dispute = c.stripe_dispute AND c.fees_minor = 0;
ALTER TABLE chargebacks ALTER COLUMN fees_currency SET NOT NULL;
