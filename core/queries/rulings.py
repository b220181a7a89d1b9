"""Recorded decisions: who made and who checked them, and what changed since."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.actions.dossier import Dossier
from core.money import Money
from core.records import (
    Decision,
    Evidence,
    Message,
    Staff,
    Ticket,
)
from core.rules.approvals import DecisionStatus

UNDECIDED = frozenset({DecisionStatus.RETURNED, DecisionStatus.VOIDED})


@dataclass(frozen=True)
class Ruling:
    """A recorded decision and the names of the two people behind it."""

    record: Decision
    maker: str
    checker: str | None
    changes: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        return self.record.status not in UNDECIDED

    @property
    def release(self) -> Money:
        return Money(self.record.release_minor, self.record.currency)

    @property
    def refund(self) -> Money:
        return Money(self.record.refund_minor, self.record.currency)


def of_ticket(session: Session, dossier: Dossier, ticket: Ticket) -> tuple[Ruling, ...]:
    """Every decision about a case, the newest first."""
    maker, checker = aliased(Staff), aliased(Staff)
    rows = session.execute(
        select(Decision, maker.name, checker.name)
        .join(maker, maker.id == Decision.maker_id)
        .outerjoin(checker, checker.id == Decision.checker_id)
        .where(Decision.milestone_id == ticket.milestone_id, Decision.ticket_id == ticket.id)
        .order_by(Decision.id.desc())
    ).all()
    return tuple(
        Ruling(record, made_by, checked_by, _changes(session, dossier, ticket, record))
        for record, made_by, checked_by in rows
    )


def _changes(session: Session, dossier: Dossier, ticket: Ticket, decision: Decision) -> tuple[str, ...]:
    """What is no longer as it was when the plan was made; only of interest while it waits to be carried out."""
    if decision.status not in (DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF):
        return ()
    bound = decision.plan["bindings"]
    found = session.scalars(select(Evidence.sha256).where(Evidence.milestone_id == dossier.milestone.id))
    added = len(set(found) - set(bound["evidence"]))
    written = session.scalar(
        select(func.count())
        .select_from(Message)
        .where(Message.milestone_id == dossier.milestone.id, Message.audience == "PARTIES")
        .where(Message.at > decision.made_at)
    )
    told = (
        (added, f"{added} {'piece' if added == 1 else 'pieces'} of evidence came in"),
        (written, "the parties wrote since, and the messages are cited"),
        (dossier.milestone.version != bound["milestone_version"] and not added, "the milestone changed"),
        (ticket.version != bound["ticket_version"], "the case changed"),
        (dossier.project.policy_version_id != bound["policy_version"], "the policy changed"),
    )
    return tuple(sentence for so, sentence in told if so)
