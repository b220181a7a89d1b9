"""Deciding a case: preview, confirmation, approval, cooling-off, execution, correction."""
