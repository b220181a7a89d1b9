"""Recorded decisions: who made and approved them, and what has changed since."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.actions.decisions import recorded_decision
from core.actions.milestones.milestone_context import MilestoneContext
from core.money import Money
from core.records import (
    Case,
    Decision,
    Evidence,
    Message,
    Staff,
)
from core.rules.approvals import DecisionStatus

PENDING = frozenset({DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF})
UNDECIDED = frozenset({DecisionStatus.RETURNED, DecisionStatus.VOIDED})


@dataclass(frozen=True)
class RecordedDecision:
    """A recorded decision and the names of the two people behind it. `changes` void it; `news`, how many messages the
    parties wrote since, do not. `again`: its maker may still decide the case, so it can be their draft again."""

    record: Decision
    maker: str
    checker: str | None
    changes: tuple[str, ...] = ()
    news: int = 0
    again: bool = True

    @property
    def pending(self) -> bool:
        """Whether it waits for approval or for the end of its cooling-off."""
        return self.record.status in PENDING

    @property
    def stands(self) -> bool:
        return self.record.status not in UNDECIDED

    @property
    def release(self) -> Money:
        return Money(self.record.release_minor, self.record.currency)

    @property
    def refund(self) -> Money:
        return Money(self.record.refund_minor, self.record.currency)


def of_case(session: Session, context: MilestoneContext, case: Case) -> tuple[RecordedDecision, ...]:
    """Every decision about a case, the newest first."""
    maker, checker = aliased(Staff), aliased(Staff)
    rows = session.execute(
        select(Decision, maker.name, checker.name)
        .join(maker, maker.id == Decision.maker_id)
        .outerjoin(checker, checker.id == Decision.checker_id)
        .where(Decision.milestone_id == case.milestone_id, Decision.case_id == case.id)
        .order_by(Decision.id.desc())
    ).all()
    return tuple(
        RecordedDecision(
            record,
            made_by,
            checked_by,
            _changes(session, context, case, record),
            _news(session, record),
            record.status in PENDING and recorded_decision.maker_decides_anew(session, context, case, record),
        )
        for record, made_by, checked_by in rows
    )


def _changes(session: Session, context: MilestoneContext, case: Case, decision: Decision) -> tuple[str, ...]:
    """What differs from when the plan was made; computed only while the decision waits to be executed."""
    if decision.status not in PENDING:
        return ()
    bound = decision.plan["bindings"]
    found = session.scalars(select(Evidence.sha256).where(Evidence.milestone_id == context.milestone.id))
    added = len(set(found) - set(bound["evidence"]))
    told = (
        (added, f"{added} {'piece' if added == 1 else 'pieces'} of evidence came in"),
        (
            context.milestone.version != bound["milestone_version"] and not added,
            "the milestone changed: a payment, a chargeback or a correction",
        ),
        (case.version != bound["ticket_version"], "the case changed: staff asked a party"),
        (context.project.policy_version_id != bound["policy_version"], "the policy changed"),
    )
    return tuple(sentence for so, sentence in told if so)


def _news(session: Session, decision: Decision) -> int:
    if decision.status not in PENDING:
        return 0
    written = (
        select(func.count())
        .select_from(Message)
        .where(Message.milestone_id == decision.milestone_id, Message.author_kind == "party")
        .where(Message.at > decision.made_at)
    )
    return session.scalar(written) or 0
