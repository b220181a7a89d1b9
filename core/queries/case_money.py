"""The money of one milestone: its journals with both columns, and what Stripe was asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.money import Money
from core.records import Decision, Milestone, Notification, OutgoingOperation, Party, Payout, Refund

ENDED = frozenset({"SUCCEEDED", "REFUSED", "REVIEW", "CANCELED"})

# The memo book knows no milestone: its journals are found by the operation that they follow.
JOURNALS = text(
    """
    with found as (
        select * from journals where milestone_id = :milestone
        union
        select * from journals where key = any(:keys)
    )
    select j.id, j.key, j.kind, j.memo, j.posted_at, a.code, a.currency, leg.amount
    from found j
    cross join lateral unnest(j.account_ids, j.amounts) with ordinality as leg (account_id, amount, n)
    join accounts a on a.id = leg.account_id
    order by j.id, leg.amount < 0, leg.n
    """
)
FOLLOWED_BY = ("arrived", "sent", "paid", "failed")


@dataclass(frozen=True)
class Leg:
    """One line of a journal; the other column is None."""

    account: str
    debit: Money | None
    credit: Money | None

    @property
    def title(self) -> str:
        return accounts.line_of(self.account).title


@dataclass(frozen=True)
class Booked:
    """A posted journal. The columns of `legs` have the same sum."""

    id: int
    key: str
    kind: str
    memo: str
    posted_at: datetime
    legs: tuple[Leg, ...]


@dataclass(frozen=True)
class Sent:
    """A call to Stripe. `reason` is why it is not done, in Stripe's words or ours."""

    id: int
    key: str
    kind: str
    amount: Money
    status: str
    tries: int
    attempt: int
    provider_id: str | None
    reason: str | None
    next_try_at: datetime
    created_at: datetime
    finished_at: datetime | None


def leg(account: str, amount: Money) -> Leg:
    """A posting as a line: debits are > 0."""
    return Leg(account, amount, None) if amount.is_positive else Leg(account, None, -amount)


def journals(session: Session, milestone_id: int) -> list[Booked]:
    """Every journal of a milestone, in the order in which it was posted."""
    operations = session.scalars(
        select(OutgoingOperation.key).where(OutgoingOperation.milestone_id == milestone_id)
    )
    keys = [f"{key}.{what}" for key in operations for what in FOLLOWED_BY]
    rows = session.execute(JOURNALS, {"milestone": milestone_id, "keys": keys}).all()
    return [_booked(list(lines)) for _, lines in groupby(rows, key=lambda row: row.id)]


def _booked(lines: Sequence[Row[Any]]) -> Booked:
    first = lines[0]
    return Booked(
        id=first.id,
        key=first.key,
        kind=first.kind,
        memo=first.memo,
        posted_at=first.posted_at,
        legs=tuple(leg(line.code, Money(line.amount, line.currency)) for line in lines),
    )


def operations(session: Session, milestone_id: int) -> list[Sent]:
    """What Stripe was asked to do for a milestone, in order."""
    wanted = select(OutgoingOperation).where(OutgoingOperation.milestone_id == milestone_id)
    return [_sent(each) for each in session.scalars(wanted.order_by(OutgoingOperation.id))]


def _sent(each: OutgoingOperation) -> Sent:
    return Sent(
        id=each.id,
        key=each.key,
        kind=each.kind,
        amount=Money(each.amount_minor, each.currency),
        status=each.status,
        tries=each.tries,
        attempt=each.attempt,
        provider_id=each.provider_id,
        reason=each.last_error,
        next_try_at=each.next_try_at,
        created_at=each.created_at,
        finished_at=each.finished_at,
    )


@dataclass(frozen=True)
class Step:
    """One call of a plan and how far it is; `sent` is None as long as it is not even queued."""

    kind: str
    key: str
    amount: Money
    sent: Sent | None
    arrival_at: datetime | None = None

    @property
    def status(self) -> str:
        return self.sent.status if self.sent else "PLANNED"


@dataclass(frozen=True)
class Execution:
    """How far a decision is carried out. `next_title` is the milestone that became active after it."""

    steps: tuple[Step, ...]
    milestone_status: str
    ended_at: datetime | None
    next_title: str | None
    next_status: str | None
    letters: tuple[tuple[str, str, str], ...]

    def settled(self, now: datetime) -> bool:
        """Nothing more will happen within the minute: all calls are done, or wait for a later day."""
        return all(
            each.sent is not None
            and (each.status in ENDED or (each.sent.next_try_at - now).total_seconds() > 45)
            for each in self.steps
        )


def execution(session: Session, decision_id: int) -> Execution:
    """The calls of the plan, beside what became of them. Five statements."""
    decision = session.get_one(Decision, decision_id)
    calls: list[dict[str, Any]] = decision.plan["operations"]
    keys = [call["key"] for call in calls]
    found = session.scalars(select(OutgoingOperation).where(OutgoingOperation.key.in_(keys)))
    sent = {each.key: _sent(each) for each in found}
    milestone = session.get_one(Milestone, decision.milestone_id)
    following = session.execute(
        select(Milestone.title, Milestone.status)
        .where(Milestone.project_id == milestone.project_id, Milestone.position > milestone.position)
        .where(Milestone.status != "CANCELED")
        .order_by(Milestone.position)
        .limit(1)
    ).one_or_none()
    key = decision.plan["journal"]["key"]
    letters = session.execute(
        select(Party.name, Notification.subject, Notification.status)
        .join(Party, Party.id == Notification.party_id)
        .where(Notification.key.in_([f"{key}-{each['to']}" for each in decision.plan["letters"]]))
        .order_by(Notification.id)
    ).all()
    arrival = session.scalars(
        select(Payout.arrival_at).where(Payout.milestone_id == milestone.id).order_by(Payout.id.desc())
    ).first()
    return Execution(
        steps=tuple(_step(call, sent.get(call["key"]), decision.currency, arrival) for call in calls),
        milestone_status=milestone.status,
        ended_at=milestone.ended_at,
        next_title=following.title if following else None,
        next_status=following.status if following else None,
        letters=tuple((row[0], row[1], row[2]) for row in letters),
    )


def _step(call: dict[str, Any], sent: Sent | None, currency: str, arrival: datetime | None) -> Step:
    amount = Money(call["params"]["amount"], currency)
    return Step(call["kind"], call["key"], amount, sent, arrival if call["kind"] == "PAYOUT" else None)


def concession(session: Session, milestone_id: int) -> int:
    """What the platform paid on top of what was held and of its own fee, in minor units; known from the plan."""
    plan = session.scalars(
        select(Decision.plan).where(Decision.milestone_id == milestone_id, Decision.status == "EXECUTED")
    ).first()
    return int(plan["amounts"]["concession"]) if plan else 0


def refunded_in_all(session: Session, milestone_id: int) -> int:
    """What reached the payer again, fees included, in minor units."""
    wanted = select(Refund.amount_minor).where(
        Refund.milestone_id == milestone_id, Refund.status == "SUCCEEDED"
    )
    return sum(session.scalars(wanted))
