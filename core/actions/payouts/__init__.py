"""Money to the payee: release, withdrawals, review of failed payouts, and transfer reversals."""
