"""The smallest and largest amounts that can be moved, by currency: Stripe's, and the desk's own.

Stripe's as it documents them on 28 November 2026: docs.stripe.com/currencies (minimum and maximum charge amounts) and
docs.stripe.com/connect/cross-border-payouts/special-requirements (minimum payout amounts). What it does not list is
marked.
"""

from __future__ import annotations

from core.policy.profile import PerCurrency

# What a card may be charged. Stripe lists none for KWD: there it asks for the worth of the settlement currency's.
SMALLEST_CHARGE = PerCurrency(
    {"USD": 50, "EUR": 50, "GBP": 30, "CAD": 50, "AUD": 50, "CHF": 50, "JPY": 50, "KWD": 160}
)
# Eight digits, whatever the currency.
LARGEST_CHARGE = PerCurrency(
    {**dict.fromkeys(("USD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY"), 99_999_999), "KWD": 99_999_990}
)
# What a bank can be paid: mostly one unit of its currency. That it is 5 in CHF no source states that could be found.
SMALLEST_PAYOUT = PerCurrency(
    {"USD": 1, "EUR": 100, "GBP": 100, "CAD": 1, "AUD": 1, "CHF": 500, "JPY": 1, "KWD": 1_000}
)
# The desk's own: what is agreed can be charged, and paid out whole by standard bank payout.
SMALLEST_MILESTONE = PerCurrency(
    {"USD": 50, "EUR": 100, "GBP": 100, "CAD": 50, "AUD": 50, "CHF": 500, "JPY": 50, "KWD": 1_000}
)
