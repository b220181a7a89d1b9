"""A project lives as long as its milestones: it completes or is canceled when the last of them ends.

(milestone-payment-flow, Project Progression.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from core.rules import milestones
from core.rules.moves import label, move


class ProjectStatus(StrEnum):
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"

    @property
    def label(self) -> str:
        return label(self)


class ProjectEvent(StrEnum):
    COMPLETE = "COMPLETE"
    CANCEL = "CANCEL"


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
