"""Calls to the payment provider: one module per kind of operation, one table of kinds, and what they share."""
