"""Outgoing operations and how they end, and money that belongs to no milestone."""
