"""Money goes to the payee: release, withdrawal, review of what failed, receivables and reversals."""
