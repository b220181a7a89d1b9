"""Deciding a case: the plan, its confirmation, a second person, cooling off, execution, correction."""
