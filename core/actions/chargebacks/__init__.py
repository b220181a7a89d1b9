"""Chargebacks: followed at Stripe, answered or accepted, and allocated when lost."""
