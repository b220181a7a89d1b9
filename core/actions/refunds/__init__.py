"""Money goes back to the payer: through the provider, or outside it."""
