"""One case, whole: the ticket, what it is about, who is in it, what stops it, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.actions import release
from core.actions.dossier import Dossier, open_dossier
from core.errors import NotFound
from core.money import Money
from core.records import (
    Decision,
    Evidence,
    EvidenceView,
    Hold,
    Message,
    Milestone,
    Party,
    Project,
    Staff,
    StaffRole,
    StaffTie,
    Ticket,
)
from core.rules import holds
from core.rules.approvals import DecisionStatus
from core.rules.blocks import Block
from core.rules.disputes import BLOCKING, DisputeReason
from core.rules.milestones import Status
from core.rules.permissions import Role

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


@dataclass(frozen=True)
class Standing:
    """A hold in force."""

    id: int
    kind: str
    reason: str
    placed_by: str | None
    placed_at: datetime


@dataclass(frozen=True)
class Case:
    """Everything that the page of a case shows without opening a tab. `tie` is why the reader must not decide it."""

    ticket: Ticket
    dossier: Dossier
    mediator: str | None
    tie: str | None
    holds: tuple[Standing, ...]
    blocks: tuple[Block, ...]
    rulings: tuple[Ruling, ...]

    @property
    def id(self) -> int:
        return self.ticket.id

    @property
    def reference(self) -> str:
        return f"D-{self.ticket.id}"

    @property
    def open(self) -> bool:
        return self.ticket.status in BLOCKING

    @property
    def in_mediation(self) -> bool:
        return self.dossier.status is Status.IN_MEDIATION

    @property
    def reason(self) -> str:
        return DisputeReason(self.ticket.reason).label

    @property
    def ruling(self) -> Ruling | None:
        """The decision that stands, if there is one."""
        return next((each for each in self.rulings if each.stands), None)

    @property
    def waiting_on(self) -> Party | None:
        return next((each for each in self.parties if each.id == self.ticket.waiting_on), None)

    @property
    def parties(self) -> tuple[Party, Party]:
        return self.dossier.payer, self.dossier.payee


def case(session: Session, ticket_id: int, *, staff_id: int | None) -> Case:
    """The case as it stands. Raises `NotFound`."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise NotFound(kind="case", id=f"D-{ticket_id}")
    dossier = open_dossier(session, ticket.milestone_id, lock=False)
    facts = release.facts_of(session, dossier, deciding=ticket.id)
    return Case(
        ticket=ticket,
        dossier=dossier,
        mediator=session.get_one(Staff, ticket.mediator_id).name if ticket.mediator_id else None,
        tie=_tie(session, dossier, staff_id),
        holds=_holds(session, dossier.milestone.id),
        blocks=holds.blocking(facts),
        rulings=_rulings(session, dossier, ticket),
    )


def _tie(session: Session, dossier: Dossier, staff_id: int | None) -> str | None:
    tied = select(StaffTie.reason).where(
        StaffTie.staff_id == staff_id, StaffTie.party_id.in_((dossier.payer.id, dossier.payee.id))
    )
    return session.scalars(tied.limit(1)).one_or_none()


def _holds(session: Session, milestone_id: int) -> tuple[Standing, ...]:
    rows = session.execute(
        select(Hold.id, Hold.kind, Hold.reason, Staff.name, Hold.placed_at)
        .outerjoin(Staff, Staff.id == Hold.placed_by)
        .where(Hold.milestone_id == milestone_id, Hold.released_at.is_(None))
        .order_by(Hold.id)
    )
    return tuple(Standing(*row) for row in rows)


def _rulings(session: Session, dossier: Dossier, ticket: Ticket) -> tuple[Ruling, ...]:
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


@dataclass(frozen=True)
class Piece:
    """One piece of evidence. `opened_at` is when this member of staff first opened it."""

    id: int
    kind: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    caption: str
    uploader: str
    uploader_role: str
    at: datetime
    taken_at: datetime | None
    opened_at: datetime | None


def evidence(session: Session, milestone_id: int, *, staff_id: int | None) -> list[Piece]:
    """All evidence about a milestone, in the order in which it came in."""
    rows = session.execute(
        select(
            Evidence.id,
            Evidence.kind,
            Evidence.file_name,
            Evidence.media_type,
            Evidence.size_bytes,
            Evidence.sha256,
            Evidence.caption,
            Party.name,
            Party.role,
            Evidence.at,
            Evidence.taken_at,
            EvidenceView.first_at,
        )
        .join(Party, Party.id == Evidence.uploaded_by)
        .outerjoin(
            EvidenceView, (EvidenceView.evidence_id == Evidence.id) & (EvidenceView.staff_id == staff_id)
        )
        .where(Evidence.milestone_id == milestone_id)
        .order_by(Evidence.at, Evidence.id)
    )
    return [Piece(*tuple(row)) for row in rows]


@dataclass(frozen=True)
class Said:
    """A message. `side` is PAYER, PAYEE, STAFF or SYSTEM."""

    id: int
    at: datetime
    author: str
    side: str
    audience: str
    body: str


def messages(session: Session, milestone_id: int) -> list[Said]:
    """What the parties and staff wrote about a milestone, oldest first."""
    rows = session.execute(
        select(Message, Party.name, Party.role, Staff.name)
        .outerjoin(Party, (Message.author_kind == "party") & (Party.id == Message.author_id))
        .outerjoin(Staff, (Message.author_kind == "staff") & (Staff.id == Message.author_id))
        .where(Message.milestone_id == milestone_id)
        .order_by(Message.at, Message.id)
    )
    return [
        Said(
            id=each.id,
            at=each.at,
            author=party or staff or "Escrow Desk",
            side=role or each.author_kind.upper(),
            audience=each.audience,
            body=each.body,
        )
        for each, party, role, staff in rows
    ]


@dataclass(frozen=True)
class Colleague:
    """A mediator to whom a case can go. `tie` is why not."""

    id: int
    name: str
    tie: str | None


def mediators(session: Session, parties: Sequence[Party]) -> list[Colleague]:
    """Active mediators, and which of them have a tie to these parties."""
    ids = [each.id for each in parties]
    rows = session.execute(
        select(Staff.id, Staff.name, StaffTie.reason)
        .join(StaffRole, (StaffRole.staff_id == Staff.id) & (StaffRole.role == Role.MEDIATOR))
        .outerjoin(StaffTie, (StaffTie.staff_id == Staff.id) & StaffTie.party_id.in_(ids))
        .where(Staff.active)
        .order_by(Staff.name)
    )
    return list({row[0]: Colleague(*row) for row in rows}.values())


@dataclass(frozen=True)
class Passage:
    """A case in a list: of a project, or of a party's past."""

    id: int
    milestone: str
    project: str
    status: str
    reason: str
    resolution: str | None
    amount: Money
    opened_at: datetime

    @property
    def reference(self) -> str:
        return f"D-{self.id}"


def of_project(session: Session, project_id: int) -> list[Passage]:
    """The cases of a project, newest first."""
    rows = session.execute(
        select(Ticket, Milestone.title, Project.title, Milestone.amount_minor, Milestone.currency)
        .join(Milestone, Milestone.id == Ticket.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(Milestone.project_id == project_id)
        .order_by(Ticket.id.desc())
    )
    return [passage(*row) for row in rows]


def passage(ticket: Ticket, milestone: str, project: str, minor: int, currency: str) -> Passage:
    return Passage(
        id=ticket.id,
        milestone=milestone,
        project=project,
        status=ticket.status,
        reason=DisputeReason(ticket.reason).label,
        resolution=ticket.resolution,
        amount=Money(minor, currency),
        opened_at=ticket.opened_at,
    )
