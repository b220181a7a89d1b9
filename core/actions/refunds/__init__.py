"""Money back to the payer: through Stripe, or outside it."""
