"""What is due to leave Stripe in the days ahead, by day and currency, as things stand now.

A payout waits for its payee's new bank account. Holds, cases and reviews are not looked at: `payouts_ahead` says for
the next two days what stops what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money, shown_order
from core.queries import payouts_ahead

DAYS = 14
# Released money of a payee who withdraws by hand stays with us until they ask for it.
DUE = text(
    f"""
    select (greatest(due.at, bank.waits_until) at time zone 'UTC')::date as day, due.currency,
           sum(due.minor)::bigint as minor, count(*) as number
    from ({payouts_ahead.SOURCES}) due
    join milestones m on m.id = due.milestone_id
    join projects p on p.id = m.project_id
    join parties payee on payee.id = p.payee_id
    left join lateral (
        select max(c.held_until) as waits_until from bank_changes c
        where c.party_id = payee.id and c.currency = due.currency and c.ended_at is null
    ) bank on due.to_payee
    where not due.to_payee or due.kind = '{payouts_ahead.PAYOUT}' or payee.auto_withdraw
    group by 1, 2
    """
)


@dataclass(frozen=True)
class DueDay:
    """One day and what is due on it; a currency without anything due is not in `amounts`."""

    day: date
    number: int
    amounts: Mapping[str, Money]

    @property
    def id(self) -> str:
        return self.day.isoformat()

    def of(self, currency: str) -> Money:
        return self.amounts.get(currency, Money.zero(currency))


@dataclass(frozen=True)
class Calendar:
    """Every day from today on, those without anything due as well."""

    days: tuple[DueDay, ...]

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for each in self.days for currency in each.amounts}, key=shown_order)

    def total(self, currency: str) -> Money:
        return Money.total((each.of(currency) for each in self.days), currency)


def calendar(session: Session, *, now: datetime, days: int = DAYS) -> Calendar:
    """The next days, UTC, in one statement. What was due before counts as due today."""
    today = now.astimezone(UTC).date()
    until = datetime.combine(today + timedelta(days=days), time(), UTC)
    amounts: dict[date, dict[str, Money]] = {}
    numbers: dict[date, int] = {}
    for row in session.execute(DUE, {"now": now, "until": until}):
        amounts.setdefault(row.day, {})[row.currency] = Money(row.minor, row.currency)
        numbers[row.day] = numbers.get(row.day, 0) + row.number
    return Calendar(
        tuple(
            DueDay(day, numbers.get(day, 0), amounts.get(day, {}))
            for day in (today + timedelta(days=n) for n in range(days))
        )
    )
