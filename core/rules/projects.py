"""A project lives as long as its milestones: it completes or is canceled when the last of them ends.

(milestone-payment-flow, Project Progression.) Whether its payer may fund ahead is a setting of its own (Milestone
Funding Phase 1: the first milestone, or multiple milestones, depending on project settings).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.errors import DeskError, Wording
from core.rules import milestones
from core.rules.transitions import MoveEvent, label, move


class ProjectStatus(StrEnum):
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"

    @property
    def label(self) -> str:
        return label(self)


class Funding(StrEnum):
    """One milestone after the other, or any number of the next ones at once."""

    IN_TURN = "IN_TURN"
    AHEAD = "AHEAD"


@dataclass(frozen=True)
class InLine:
    """A milestone in the order of its project, as far as funding asks."""

    id: int
    title: str
    status: milestones.Status


class FundedInTurn(DeskError):
    """This project is funded one milestone at a time, and it is not the turn of “{milestone}” yet. Nothing was charged.

    The project's own setting: with funding AHEAD, several can be paid at once.
    """


class FundedWithGap(DeskError):
    """“{milestone}” comes first and is not funded: fund it as well, or only what comes before it."""


class ProjectEvent(MoveEvent):
    COMPLETE = "COMPLETE", "it cannot be completed"
    CANCEL = "CANCEL", "it cannot be canceled"


MOVES: Mapping[tuple[ProjectStatus, ProjectEvent], ProjectStatus] = {
    (ProjectStatus.ACTIVE, ProjectEvent.COMPLETE): ProjectStatus.COMPLETED,
    (ProjectStatus.ACTIVE, ProjectEvent.CANCEL): ProjectStatus.CANCELED,
}


def after(status: ProjectStatus | str, event: ProjectEvent) -> ProjectStatus:
    return move("project", MOVES, ProjectStatus(status), event)


def project_after(statuses: Sequence[milestones.Status | str]) -> ProjectStatus:
    """What the project is, given its milestones: completed once all have ended and at least one was completed."""
    known = [milestones.Status(status) for status in statuses]
    if not known or not milestones.FINAL.issuperset(known):
        return ProjectStatus.ACTIVE
    return ProjectStatus.COMPLETED if milestones.Status.COMPLETED in known else ProjectStatus.CANCELED


def next_to_activate(statuses: Sequence[milestones.Status | str]) -> int | None:
    """Which milestone comes next, by its place in the order: the first planned one, once all before it have ended."""
    for index, status in enumerate(statuses):
        if status == milestones.Status.PLANNED:
            return index
        if milestones.Status(status) not in milestones.FINAL:
            return None
    return None


def require_fundable(funding: Funding | str, line: Sequence[InLine], chosen: Collection[int]) -> None:
    """May these be funded now? `line` is every milestone in its order; ahead goes without leaving one out.

    Raises `FundedInTurn`, `FundedWithGap`.
    """
    skipped: InLine | None = None
    for each in line:
        if each.status is not milestones.Status.PLANNED:
            continue
        if each.id not in chosen:
            skipped = skipped or each
        elif funding != Funding.AHEAD:
            raise FundedInTurn(milestone=Wording(each.title, each.id))
        elif skipped is not None:
            raise FundedWithGap(milestone=Wording(skipped.title, skipped.id))
