"""One case: its milestone, its parties, what blocks it, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.actions.risk import holds as hold_actions
from core.errors import NotFound
from core.money import Money
from core.queries import decisions
from core.queries.decisions import RecordedDecision
from core.records import (
    Case,
    Handover,
    Hold,
    Party,
    PartyRequest,
    PayeeHold,
    Recusal,
    Refund,
    Staff,
    StaffTie,
)
from core.rules import holds
from core.rules.approvals import DecisionStatus
from core.rules.cases import BLOCKING, DisputeReason
from core.rules.milestones import Status
from core.rules.references import reference
from core.rules.refunds import RefundStatus
from core.rules.refusal_reasons import Block
from core.rules.requests import RequestStatus


@dataclass(frozen=True)
class HoldInForce:
    """A hold in force."""

    id: int
    kind: str
    reason: str
    placed_by_id: int | None
    placed_by: str | None
    placed_at: datetime
    of_payee: bool = False
    """All money of the payee is stopped, not this milestone's alone."""


@dataclass(frozen=True)
class Passed:
    """The latest handover note: from whoever had the case to whoever has it next (None: whoever takes it)."""

    by: str
    to: str | None
    note: str
    at: datetime


@dataclass(frozen=True)
class Recused:
    """Who was recused from the case, and why."""

    staff_id: int
    name: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Refunded:
    """What went back to the payer: by us, with every fee that was returned (`sent`, and `waiting` to be), and
    `by_bank`, of the milestone, in a lost chargeback."""

    sent: Money
    waiting: Money
    by_bank: Money


@dataclass(frozen=True)
class CaseView:
    """Everything that the page of a case shows without opening a tab. `tie` is why the reader must not decide it.

    `passed` is the latest handover with words, `request` what a party is asked for now; `can_hold`: a hold would stop
    something.
    """

    record: Case
    context: MilestoneContext
    mediator: str | None
    tie: str | None
    holds: tuple[HoldInForce, ...]
    blocks: tuple[Block, ...]
    decisions: tuple[RecordedDecision, ...]
    refunded: Refunded
    request: PartyRequest | None = None
    passed: Passed | None = None
    recused: tuple[Recused, ...] = ()
    can_hold: bool = True

    @property
    def id(self) -> int:
        return self.record.id

    @property
    def concession(self) -> Money:
        """What the platform bears of the processor's fee, by the executed decision."""
        carried_out = self.decision and self.decision.record.status == DecisionStatus.EXECUTED
        record = self.decision.record if self.decision and carried_out else None
        return self.context.money(record.plan["amounts"]["concession"] if record else 0)

    @property
    def reference(self) -> str:
        return reference("case", self.record.id)

    def left_by(self, staff_id: int | None) -> bool:
        """Whether this member of staff was recused from the case."""
        return any(each.staff_id == staff_id for each in self.recused)

    @property
    def open(self) -> bool:
        return self.record.status in BLOCKING

    @property
    def in_mediation(self) -> bool:
        return self.context.status is Status.IN_MEDIATION

    @property
    def reason(self) -> str:
        return DisputeReason(self.record.reason).label

    @property
    def decision(self) -> RecordedDecision | None:
        """The decision that stands, if any."""
        return next((each for each in self.decisions if each.stands), None)

    @property
    def waiting_on(self) -> Party | None:
        return next((each for each in self.parties if each.id == self.record.waiting_on), None)

    @property
    def parties(self) -> tuple[Party, Party]:
        return self.context.payer, self.context.payee


def case(session: Session, case_id: int, *, staff_id: int | None) -> CaseView:
    """The case as it stands. Raises `NotFound`."""
    record = session.get(Case, case_id)
    if record is None:
        raise NotFound(kind="case", id=f"D-{case_id}")
    context = open_milestone(session, record.milestone_id, lock=False)
    facts = release.facts_of(session, context, deciding=record.id)
    return CaseView(
        record=record,
        context=context,
        mediator=session.get_one(Staff, record.mediator_id).name if record.mediator_id else None,
        tie=_tie(session, context, staff_id),
        holds=_holds(session, context),
        blocks=holds.blocking(facts),
        decisions=decisions.of_case(session, context, record),
        refunded=_refunded(session, context),
        request=_request(session, record.id),
        passed=_passed(session, record.id),
        recused=_recused(session, record.id),
        can_hold=not holds.over(context.status, hold_actions.stoppable(session, context)),
    )


def _refunded(session: Session, context: MilestoneContext) -> Refunded:
    sent = Refund.status.in_((RefundStatus.SUCCEEDED, RefundStatus.RETURNED))
    total = func.coalesce(func.sum(Refund.amount_minor).filter(sent), 0)
    part = func.coalesce(func.sum(Refund.milestone_part_minor).filter(sent), 0)
    waiting = Refund.status.in_(
        (RefundStatus.QUEUED, RefundStatus.PENDING, RefundStatus.FAILED, RefundStatus.CANCELED)
    )
    owed = func.coalesce(func.sum(Refund.amount_minor).filter(waiting), 0)
    row = session.execute(select(total, part, owed).where(Refund.milestone_id == context.milestone.id)).one()
    by_bank = max(0, context.order.refunded_minor - int(row[1]))
    return Refunded(context.money(int(row[0])), context.money(int(row[2])), context.money(by_bank))


def _request(session: Session, case_id: int) -> PartyRequest | None:
    wanted = select(PartyRequest).where(
        PartyRequest.case_id == case_id, PartyRequest.status == RequestStatus.OPEN
    )
    return session.scalars(wanted).one_or_none()


def _passed(session: Session, case_id: int) -> Passed | None:
    by, to = aliased(Staff), aliased(Staff)
    row = session.execute(
        select(by.name, to.name, Handover.note, Handover.at)
        .join(by, by.id == Handover.by_id)
        .outerjoin(to, to.id == Handover.to_id)
        .where(Handover.case_id == case_id)
        .order_by(Handover.id.desc())
        .limit(1)
    ).one_or_none()
    return Passed(*row) if row else None


def _recused(session: Session, case_id: int) -> tuple[Recused, ...]:
    rows = session.execute(
        select(Recusal.staff_id, Staff.name, Recusal.reason, Recusal.at)
        .join(Staff, Staff.id == Recusal.staff_id)
        .where(Recusal.case_id == case_id)
        .order_by(Recusal.at)
    )
    return tuple(Recused(*row) for row in rows)


def _tie(session: Session, context: MilestoneContext, staff_id: int | None) -> str | None:
    tied = select(StaffTie.reason).where(
        StaffTie.staff_id == staff_id, StaffTie.party_id.in_((context.payer.id, context.payee.id))
    )
    return session.scalars(tied.limit(1)).one_or_none()


def _holds(session: Session, context: MilestoneContext) -> tuple[HoldInForce, ...]:
    rows = session.execute(
        select(
            Hold.id,
            Hold.kind,
            func.concat_ws(" ", Hold.reason, Hold.news),
            Hold.placed_by,
            Staff.name,
            Hold.placed_at,
        )
        .outerjoin(Staff, Staff.id == Hold.placed_by)
        .where(Hold.milestone_id == context.milestone.id, Hold.released_at.is_(None))
        .order_by(Hold.id)
    )
    of_payee = session.execute(
        select(
            PayeeHold.id,
            PayeeHold.kind,
            PayeeHold.reason,
            PayeeHold.placed_by,
            Staff.name,
            PayeeHold.placed_at,
        )
        .join(Staff, Staff.id == PayeeHold.placed_by)
        .where(PayeeHold.party_id == context.payee.id, PayeeHold.released_at.is_(None))
        .order_by(PayeeHold.id)
    )
    return (
        *(HoldInForce(*row) for row in rows),
        *(HoldInForce(*row, of_payee=True) for row in of_payee),
    )
