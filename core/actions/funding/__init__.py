"""Money comes in: charges, card retries, duplicate payments, and the lines of the provider that book them."""
