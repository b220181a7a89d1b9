"""A project with its engagement and milestones, and its payment schedule."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.actions.milestones.engagement import Part as EngagementPart
from core.api.models.names import MissingCode
from core.api.models.responses.milestones import MilestoneAnswer
from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.rules.engagement import EngagementStatus
from core.rules.milestones import Status as MilestoneStatus
from core.rules.projects import Funding, ProjectStatus
from core.rules.schedule import FeeMode
from core.rules.templates import ProjectType


class Missing(TypedDict):
    """A part that is not confirmed yet: a code for the program, a sentence for people."""

    code: MissingCode
    sentence: str


class EngagementAnswer(TypedDict):
    status: EngagementStatus
    confirmed: list[EngagementPart]
    missing: list[Missing]


class ProjectAnswer(TypedDict):
    """`milestones`: those that are not canceled, at most 50. Of those that are, `canceled_milestones` is the number;
    `GET /milestones?project=…&status=CANCELED` lists them."""

    id: int
    bid_reference: str
    title: str
    scope: str
    project_type: ProjectType
    fee_mode: FeeMode
    funding: Funding
    status: ProjectStatus
    payer: str
    payee: str
    total: MoneyAnswer
    created_at: Moment
    completed_at: Moment | None
    engagement: EngagementAnswer
    milestones: list[MilestoneAnswer]
    canceled_milestones: int


class ProjectsAnswer(PageAnswer):
    items: list[ProjectAnswer]


class InstalmentAnswer(TypedDict):
    milestone: int
    position: int
    title: str
    status: MilestoneStatus
    amount: MoneyAnswer
    platform_fee: MoneyAnswer
    processing_fee: MoneyAnswer
    charge: MoneyAnswer
    charges_so_far: MoneyAnswer


class ScheduleAnswer(TypedDict):
    project: int
    instalments: list[InstalmentAnswer]
    total: MoneyAnswer
