"""What is due to leave Stripe until the end of tomorrow, and the cash that it needs beside what can be sent now.

Three things lead to it: calls that are queued, decisions whose cooling-off ends, and work that silence approves. What
something stops is listed and not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money, shown_order
from core.queries import payee_accounts, payout_progress
from core.rules.payee_accounts import BankWait
from core.rules.references import reference
from core.rules.refusal_reasons import Block

MOST = 2000
PAYOUT, REFUND, DECISION, APPROVAL = "PAYOUT", "REFUND", "DECISION", "APPROVAL"
# What leads to it. `at`: what is late is due now.
SOURCES = """
    select case when c.kind = 'TRANSFER' then 'PAYOUT' else 'REFUND' end as kind, w.id as payout_id, c.milestone_id,
           c.currency, c.amount_minor as minor, greatest(c.next_try_at, :now) as at, c.kind = 'TRANSFER' as to_payee
    from outgoing_operations c
    left join payouts w on w.transfer_operation_id = c.id
    where c.kind in ('TRANSFER', 'REFUND') and c.status in ('QUEUED', 'BLOCKED', 'SENDING')
      and c.provider_id is null and c.next_try_at < :until
    union all
    select 'DECISION', null, t.milestone_id, d.currency, d.release_minor, greatest(d.execute_at, :now), true
    from decisions d join cases t on t.id = d.case_id
    where d.status = 'COOLING_OFF' and d.execute_at < :until and d.release_minor > 0
    union all
    select 'DECISION', null, t.milestone_id, d.currency, d.refund_minor, greatest(d.execute_at, :now), false
    from decisions d join cases t on t.id = d.case_id
    where d.status = 'COOLING_OFF' and d.execute_at < :until and d.refund_minor > 0
    union all
    select 'APPROVAL', null, m.id, o.currency, o.held_minor, greatest(m.auto_approve_at, :now), true
    from milestones m join payment_orders o on o.milestone_id = m.id
    where m.status = 'PENDING_VERIFICATION' and m.auto_approve_at < :until and o.held_minor > 0
    """
DUE = text(f"select * from ({SOURCES}) due order by at, milestone_id limit :most")
PEOPLE = text(
    """
    select m.id, m.title as milestone, p.title as project, p.id as project_id, payer.name as payer,
           payee.name as payee, payee.id as payee_id, payee.auto_withdraw
    from milestones m join projects p on p.id = m.project_id
    join parties payer on payer.id = p.payer_id join parties payee on payee.id = p.payee_id
    where m.id = any(:milestones)
    """
)
AVAILABLE = text(
    "select distinct on (currency) currency, available_minor, looked_at from stripe_balances "
    "where available_minor is not null order by currency, looked_at desc"
)


@dataclass(frozen=True)
class Due:
    """One amount. `why` is what stops it, and then it is not counted and due at no known time; empty where it goes."""

    id: str
    kind: str
    payout_id: int | None
    milestone_id: int
    milestone: str
    project: str
    project_id: int
    to: str
    amount: Money
    at: datetime | None
    why: str

    @property
    def reference(self) -> str:
        return (
            reference("payout", self.payout_id)
            if self.payout_id
            else reference("milestone", self.milestone_id)
        )


@dataclass(frozen=True)
class Cash:
    """One currency: what is due, what something stops of it, and what Stripe had available when it was read last."""

    currency: str
    needed: Money
    stopped: Money
    available: Money | None
    read_at: datetime | None

    @property
    def short(self) -> Money | None:
        """What is missing, zero where nothing is; None where nothing was read."""
        if self.available is None:
            return None
        return max(self.needed - self.available, Money.zero(self.currency))


@dataclass(frozen=True)
class Ahead:
    """`whole` is false where there is more than `MOST`: then the sums are at least as much."""

    until: datetime
    due: tuple[Due, ...]
    cash: tuple[Cash, ...]
    whole: bool


def until(now: datetime) -> datetime:
    """The end of tomorrow, UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=2), time(), UTC)


def ahead(session: Session, *, now: datetime) -> Ahead:
    """What falls due until the end of tomorrow, UTC, what stops it, and the cash that it takes in each currency."""
    end = until(now)
    rows = session.execute(DUE, {"now": now, "until": end, "most": MOST + 1}).all()
    whole, rows = len(rows) <= MOST, rows[:MOST]
    people = _people(session, rows)
    stopped = payout_progress.blocks(session, people.keys())
    waits = payee_accounts.new_banks(session, {each.payee_id for each in people.values()})
    due = []
    for row in rows:
        about = people[row.milestone_id]
        if row.kind in (DECISION, APPROVAL) and row.to_payee and not about.auto_withdraw:
            continue  # it stays payable until the payee asks for it
        free = waits.get(about.payee_id, {}).get(row.currency, BankWait()).until if row.to_payee else None
        blocks = stopped[row.milestone_id] if row.to_payee else ()
        due.append(_due(row, about, _standing(blocks, free, row.kind, end), not_before=free))
    due.sort(key=lambda each: (each.at is None, each.at or end, each.milestone_id))
    return Ahead(end, tuple(due), _cash(session, due), whole)


def _people(session: Session, rows: Sequence[Any]) -> dict[int, Any]:
    numbers = list({row.milestone_id for row in rows})
    return {row.id: row for row in session.execute(PEOPLE, {"milestones": numbers})}


def _standing(blocks: Sequence[Block], free: datetime | None, kind: str, end: datetime) -> tuple[Block, ...]:
    """What still stops it at the end: a wait for a new bank account that is over by then does not, nor does too small
    a balance, which is what the sums are for; a decision ends its own case."""
    passing = {"balance_too_small"}
    if free is not None and free < end:
        passing.add("bank_changed")
    if kind == DECISION:
        passing.add("open_case")
    return tuple(block for block in blocks if block.code not in passing)


def _due(row: Any, about: Any, blocks: tuple[Block, ...], *, not_before: datetime | None) -> Due:
    """`not_before`: when the wait for the payee's new bank account is over; till then the queue asks in vain."""
    return Due(
        id=f"{row.kind}-{row.payout_id or row.milestone_id}-{row.to_payee}-{row.minor}",
        kind=row.kind,
        payout_id=row.payout_id,
        milestone_id=row.milestone_id,
        milestone=about.milestone,
        project=about.project,
        project_id=about.project_id,
        to=about.payee if row.to_payee else about.payer,
        amount=Money(row.minor, row.currency),
        at=None if blocks else max(row.at, not_before or row.at),
        why=" ".join(block.sentence for block in blocks),
    )


def _cash(session: Session, due: Sequence[Due]) -> tuple[Cash, ...]:
    read = {row.currency: row for row in session.execute(AVAILABLE)}
    currencies = {each.amount.currency for each in due}
    return tuple(
        Cash(
            currency,
            Money.total((e.amount for e in due if e.amount.currency == currency and not e.why), currency),
            Money.total((e.amount for e in due if e.amount.currency == currency and e.why), currency),
            Money(read[currency].available_minor, currency) if currency in read else None,
            read[currency].looked_at if currency in read else None,
        )
        for currency in sorted(currencies, key=shown_order)
    )
