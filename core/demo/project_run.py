"""One project being lived: who takes part, the dice that decide how it goes, and what can be read of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from core.actions.cases import mediator_assignment
from core.demo import texts
from core.demo.scenarios import ProjectPlan
from core.demo.texts import DisputeStory
from core.demo.world import World, party
from core.policy import Platform
from core.records import Case, Evidence, Milestone
from core.rules.cases import BLOCKING, DisputeReason
from core.rules.milestones import Status
from core.rules.permissions import Actor, Role

Wait = Iterator[timedelta]


@dataclass
class ProjectRun:
    """One project being lived: who takes part, and the dice that decide how it goes."""

    world: World
    plan: ProjectPlan
    payer_id: int
    payee_id: int
    draw: random.Random
    project_id: int = 0
    stories: list[DisputeStory] = field(default_factory=list)

    @property
    def payer(self) -> Actor:
        return party(self.payer_id)

    @property
    def payee(self) -> Actor:
        return party(self.payee_id)

    def hours(self, least: int, most: int) -> timedelta:
        return timedelta(minutes=self.draw.randrange(least * 60, most * 60))

    def act(self, action: Any, actor: Actor, **arguments: Any) -> Any:
        return self.world.act(action, actor, **arguments)

    def read(self, statement: Any) -> Any:
        with self.world.desk.database.glance() as session:
            return session.scalars(statement).first()

    def milestone(self) -> Milestone | None:
        """The one that is being worked on now."""
        found: Milestone | None = self.read(
            select(Milestone)
            .where(
                Milestone.project_id == self.project_id,
                Milestone.ended_at.is_(None),
                Milestone.status.not_in((Status.PLANNED, Status.CANCELED)),
            )
            .order_by(Milestone.position)
        )
        return found

    def case(self, milestone_id: int) -> Case | None:
        wanted = select(Case).where(Case.milestone_id == milestone_id, Case.status.in_(BLOCKING))
        found: Case | None = self.read(wanted)
        return found

    def next_story(self, *, no_show: bool = False) -> DisputeStory:
        told = texts.LEGAL if self.plan.platform is Platform.LEGAL_SERVICES else texts.HOME
        fitting = [each for each in told if (each.reason is DisputeReason.NO_SHOW) == no_show]
        return self.draw.choice(fitting)


def status(run: ProjectRun, milestone_id: int) -> str:
    return str(run.read(select(Milestone.status).where(Milestone.id == milestone_id)))


def pieces_of(run: ProjectRun, milestone_id: int) -> list[Evidence]:
    with run.world.desk.database.glance() as session:
        return list(session.scalars(select(Evidence).where(Evidence.milestone_id == milestone_id)))


def free_mediator(run: ProjectRun) -> int:
    """When all were busy at the time: the first, who takes it."""
    case_owner = run.world.staff_with(Role.MEDIATOR)[0]
    milestone = run.milestone()
    case = run.case(milestone.id) if milestone else None
    if case is not None:
        run.act(
            mediator_assignment.assign,
            run.world.staff(case_owner),
            case_id=case.id,
            staff_id=case_owner,
        )
    return case_owner
