"""Everything that belongs to one milestone, read together and locked in the one order that all actions keep.

The order: milestones by id, each with its payment order → cases, holds and what else belongs to the milestone alone →
parties by id → ledger accounts by number → outgoing operations → the project, when a milestone ends. Whoever needs a
whole project locks its milestones first (`projects.lock_whole`); whoever needs a party locks it before anything is
booked (`receivables.lock_payee`, `daily_limits.lock_parties`). What belongs to one milestone alone is protected by
that milestone's lock, so its own order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from core import audit, notifications
from core.audit.actions import StoredAction
from core.db import known_in_transaction
from core.errors import NotFound
from core.money import Money
from core.policy import Profile
from core.records import Case, Milestone, Party, PaymentOrder, PolicyVersion, Project
from core.rules import milestones
from core.rules.permissions import Actor

PAYER, PAYEE = aliased(Party), aliased(Party)


@dataclass
class MilestoneContext:
    """A milestone with its project, its payment order, both parties and the policy that it lives under."""

    project: Project
    milestone: Milestone
    order: PaymentOrder
    payer: Party
    payee: Party
    profile: Profile
    locked_parties: set[int] = field(default_factory=set)
    """Whose rows this transaction has locked already."""

    @property
    def amount(self) -> Money:
        return self.money(self.milestone.amount_minor)

    def money(self, minor: int) -> Money:
        return Money(minor, self.milestone.currency)

    @property
    def status(self) -> milestones.Status:
        return milestones.Status(self.milestone.status)

    @property
    def transfer_group(self) -> str:
        """Groups everything at Stripe that belongs to this milestone."""
        return f"milestone-{self.milestone.id}"

    def move(self, event: milestones.Event, *, now: datetime) -> None:
        """Move the milestone's status by the table of allowed moves. Raises `IllegalMove`. Whoever saw the version
        before is out of date now."""
        audit.become(self.milestone, milestones.after(self.status, event), now=now)
        self.touch()

    def touch(self) -> None:
        self.milestone.version += 1

    def note(
        self,
        session: Session,
        actor: Actor,
        action: StoredAction,
        *,
        now: datetime,
        about: tuple[str, int] | None = None,
        **fields: Any,
    ) -> None:
        """An audit entry about this milestone, or `about` another object that belongs to it."""
        kind, number = about or ("milestone", self.milestone.id)
        audit.record(
            session,
            actor,
            action,
            object_kind=kind,
            object_id=number,
            now=now,
            project_id=self.project.id,
            milestone_id=self.milestone.id,
            **fields,
        )

    def tell(
        self,
        session: Session,
        template: str,
        party: Party,
        *,
        key: str,
        now: datetime,
        about: tuple[str, int] | None = None,
        **facts: Any,
    ) -> None:
        """A letter about this milestone to one of its parties; the same key never twice. `about`: as in `note`."""
        notifications.tell(
            session,
            template,
            party_id=party.id,
            project_id=self.project.id,
            milestone_id=self.milestone.id,
            about=about,
            key=key,
            now=now,
            **{"amount": self.amount, **facts},
        )

    def tell_staff(
        self,
        session: Session,
        template: str,
        staff_ids: Iterable[int],
        *,
        key: str,
        now: datetime,
        about: tuple[str, int],
        **facts: Any,
    ) -> None:
        """A letter about this milestone to members of staff whose work it has become."""
        notifications.tell_staff(
            session,
            template,
            staff_ids=staff_ids,
            project_id=self.project.id,
            milestone_id=self.milestone.id,
            about=about,
            key=key,
            now=now,
            **{"amount": self.amount, **facts},
        )


WHOLE = (
    select(Milestone, PaymentOrder, Project, PolicyVersion, PAYER, PAYEE)
    .join(PaymentOrder, PaymentOrder.milestone_id == Milestone.id)
    .join(Project, Project.id == Milestone.project_id)
    .join(PolicyVersion, PolicyVersion.id == Project.policy_version_id)
    .join(PAYER, PAYER.id == Project.payer_id)
    .join(PAYEE, PAYEE.id == Project.payee_id)
)
OF_MILESTONE = WHOLE.where(Milestone.id == bindparam("number"))
OF_CASE = (
    WHOLE.add_columns(Case)
    .join(Case, Case.milestone_id == Milestone.id)
    .where(Case.id == bindparam("number"))
)
# With the rows of these tables locked, in this order, and read as they are then.
LOCKED_MILESTONE = OF_MILESTONE.with_for_update(of=[Milestone, PaymentOrder]).execution_options(
    populate_existing=True
)
LOCKED_CASE = OF_CASE.with_for_update(of=[Milestone, PaymentOrder, Case]).execution_options(
    populate_existing=True
)


def open_milestone(session: Session, milestone_id: int, *, lock: bool = True) -> MilestoneContext:
    """The milestone's context in one query; with `lock`, its row and its order's row stay ours until the end, and it
    is not read again in this transaction. Raises `NotFound`."""
    if (known := known_in_transaction(session).get((MilestoneContext, milestone_id))) is not None:
        session.flush()
        return cast(MilestoneContext, known)
    wanted = LOCKED_MILESTONE if lock else OF_MILESTONE
    row = session.execute(wanted, {"number": milestone_id}).one_or_none()
    if row is None:
        raise NotFound(kind="milestone", id=milestone_id)
    return _context(session, row, lock=lock)


def open_case(session: Session, case_id: int, *, lock: bool = True) -> tuple[MilestoneContext, Case]:
    """The same of the milestone that a case is about, with the case, which is locked after it. Raises `NotFound`."""
    row = session.execute(LOCKED_CASE if lock else OF_CASE, {"number": case_id}).one_or_none()
    if row is None:
        raise NotFound(kind="case", id=case_id)
    *whole, case = row
    return _context(session, whole, lock=lock), case


def _context(session: Session, row: Sequence[Any], *, lock: bool) -> MilestoneContext:
    milestone, order, project, policy, payer, payee = row
    ours = known_in_transaction(session)
    if (known := ours.get((MilestoneContext, milestone.id))) is not None:
        return cast(MilestoneContext, known)
    context = MilestoneContext(
        project=project,
        milestone=milestone,
        order=order,
        payer=payer,
        payee=payee,
        profile=Profile.from_snapshot(policy.snapshot),
    )
    if lock:
        ours[MilestoneContext, milestone.id] = context
    return context
