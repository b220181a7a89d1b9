-- What was charged, in the provider's own words. Nothing is known of the charges of before.
ALTER TABLE charges ADD COLUMN method_kind VARCHAR;
ALTER TABLE charges ADD COLUMN card_brand VARCHAR;
ALTER TABLE charges ADD COLUMN card_funding VARCHAR;
ALTER TABLE charges ADD COLUMN method_country VARCHAR;
ALTER TABLE charges ADD CONSTRAINT charges_method CHECK (
    method_kind is not null or (card_brand is null and card_funding is null and method_country is null)
) NOT VALID;
ALTER TABLE charges ADD CONSTRAINT charges_card CHECK (
    method_kind = 'card' or (card_brand is null and card_funding is null)
) NOT VALID;
ALTER TABLE charges VALIDATE CONSTRAINT charges_method;
ALTER TABLE charges VALIDATE CONSTRAINT charges_card;
