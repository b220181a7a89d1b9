"""Parties' accounts, payment methods and details: followed at Stripe, and changed."""
