"""Money to the payee: release, withdrawals, review of failed payouts, receivables and transfer reversals."""
