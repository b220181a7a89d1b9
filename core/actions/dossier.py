"""Everything that belongs to one milestone, read together and locked in the one order that all actions keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.money import Money
from core.policy import Profile
from core.records import Milestone, Party, PaymentOrder, PolicyVersion, Project
from core.rules import milestones


@dataclass
class Dossier:
    """A milestone with its project, its payment order, both parties and the policy that it lives under."""

    project: Project
    milestone: Milestone
    order: PaymentOrder
    payer: Party
    payee: Party
    profile: Profile

    @property
    def ids(self) -> dict[str, int]:
        """For audit entries and letters."""
        return {"project_id": self.project.id, "milestone_id": self.milestone.id}

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
        """Groups everything at the provider that belongs to this milestone."""
        return f"milestone-{self.milestone.id}"

    def move(self, event: milestones.Event) -> None:
        """Through the table of allowed moves, or `IllegalMove`. Whoever saw the old version is now out of date."""
        self.milestone.status = milestones.after(self.status, event)
        self.touch()

    def touch(self) -> None:
        self.milestone.version += 1


def open_dossier(session: Session, milestone_id: int, *, lock: bool = True) -> Dossier:
    """The milestone's dossier; with `lock`, its row and its order's row stay ours until the transaction ends."""
    wanted = select(Milestone).where(Milestone.id == milestone_id)
    milestone = session.scalars(_locked(wanted) if lock else wanted).one_or_none()
    if milestone is None:
        raise NotFound(kind="milestone", id=milestone_id)
    order_wanted = select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id)
    order = session.scalars(_locked(order_wanted) if lock else order_wanted).one()
    project = session.get_one(Project, milestone.project_id)
    policy = session.get_one(PolicyVersion, project.policy_version_id)
    return Dossier(
        project=project,
        milestone=milestone,
        order=order,
        payer=session.get_one(Party, project.payer_id),
        payee=session.get_one(Party, project.payee_id),
        profile=Profile.from_snapshot(policy.snapshot),
    )


def _locked(statement: Any) -> Any:
    return statement.with_for_update().execution_options(populate_existing=True)
