"""The progress of a decision's execution: every operation of its plan with its present state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.money import Money
from core.queries import case_money
from core.queries.case_money import Sent
from core.records import Decision, Milestone, Notification, OutgoingOperation, Party, Payout, Refund
from core.rules.milestones import Status
from core.rules.notifications import LetterStatus
from core.rules.operations import ENDED, OperationKind

LETTERS_TAKE = timedelta(minutes=1)


@dataclass(frozen=True)
class CallProgress:
    """One operation of a plan and its state; `sent` is None until it is queued."""

    kind: str
    key: str
    amount: Money
    sent: Sent | None
    arrival_at: datetime | None = None

    @property
    def status(self) -> str:
        return self.sent.status if self.sent else "PLANNED"  # of the page alone: nothing is stored yet


@dataclass(frozen=True)
class Execution:
    """The progress of an execution. `next_title`: the milestone that became active after it."""

    steps: tuple[CallProgress, ...]
    milestone_status: str
    ended_at: datetime | None
    next_title: str | None
    next_status: str | None
    letters: tuple[tuple[str, str, str], ...]
    executed_at: datetime | None

    def settled(self, now: datetime) -> bool:
        """Whether nothing more will happen within a minute: all operations are done or wait for a later day, and the
        e-mails had their minute."""
        fresh = self.executed_at is not None and now - self.executed_at < LETTERS_TAKE
        if fresh and any(state == LetterStatus.QUEUED for _, _, state in self.letters):
            return False
        return self.executed_at is not None and all(
            # What is not queued then follows another step, and waits as long as that does.
            each.sent is None or each.status in ENDED or (each.sent.next_try_at - now).total_seconds() > 45
            for each in self.steps
        )


def execution(session: Session, decision_id: int) -> Execution:
    """The operations of the plan with their states, and what was requested in their place. Six statements."""
    decision = session.get_one(Decision, decision_id)
    calls: list[dict[str, Any]] = decision.plan["operations"]
    keys = [call["key"] for call in calls]
    found = session.scalars(select(OutgoingOperation).where(OutgoingOperation.key.in_(keys)))
    sent = {each.key: case_money.sent(each) for each in found}
    instead = session.scalars(
        select(OutgoingOperation)
        .join(Refund, Refund.operation_id == OutgoingOperation.id)
        .where(Refund.decision_id == decision.id, OutgoingOperation.key.not_in(keys))
        .order_by(OutgoingOperation.id)
    ).all()
    milestone = session.get_one(Milestone, decision.milestone_id)
    following = session.execute(
        select(Milestone.title, Milestone.status)
        .where(Milestone.project_id == milestone.project_id, Milestone.position > milestone.position)
        .where(Milestone.status != Status.CANCELED)
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
        steps=(
            *(_step(call, sent.get(call["key"]), decision.currency, arrival) for call in calls),
            *(_instead(each) for each in instead),
        ),
        milestone_status=milestone.status,
        ended_at=milestone.ended_at,
        next_title=following.title if following else None,
        next_status=following.status if following else None,
        letters=tuple((row[0], row[1], row[2]) for row in letters),
        executed_at=decision.executed_at,
    )


def _instead(call: OutgoingOperation) -> CallProgress:
    """The remainder of a refund that a chargeback covered in part, or a refund that is due again."""
    return CallProgress(call.kind, call.key, Money(call.amount_minor, call.currency), case_money.sent(call))


def _step(call: dict[str, Any], sent: Sent | None, currency: str, arrival: datetime | None) -> CallProgress:
    amount = Money(call["params"]["amount"], currency)
    return CallProgress(
        call["kind"], call["key"], amount, sent, arrival if call["kind"] == OperationKind.PAYOUT else None
    )
