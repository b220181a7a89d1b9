-- Money that left Stripe past the desk: which object moved it, and what became of that since.
ALTER TABLE holds ADD COLUMN stripe_object VARCHAR, ADD COLUMN news VARCHAR;
UPDATE holds SET stripe_object = substring(reason from '\((\w+)\), so less is at Stripe')
WHERE kind = 'RISK' AND placed_by IS NULL AND reason LIKE '%, so less is at Stripe than the desk holds%';
ALTER TABLE holds ADD CONSTRAINT holds_news_of_an_object CHECK (news IS NULL OR stripe_object IS NOT NULL);
CREATE UNIQUE INDEX holds_stripe_object_idx ON holds (milestone_id, stripe_object) WHERE stripe_object IS NOT NULL;
