"""Outgoing operations: their keys and states, and trying one again."""
