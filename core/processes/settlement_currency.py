"""In which currencies the platform's Stripe account settles, read from Stripe."""

from __future__ import annotations

from core.actions.funding import settlement_currency
from core.desk import Desk


def read(desk: Desk) -> None:
    """Read it from Stripe and keep it. What a converted charge or a person has said stays."""
    settled = desk.payments.settlement_currencies()
    desk.database.run(lambda session: settlement_currency.record(session, settled, now=desk.clock()))
