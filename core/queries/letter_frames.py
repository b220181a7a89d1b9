"""What surrounds an e-mail's text when it is sent: names, numbers and settings as of then.

Delivery and pages use the same, so that staff reads what the recipient gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.config import Settings
from core.letters.frame import Frame
from core.records import Decision, Notification, Party, Project, SettlementProposal, Staff
from core.rules.references import reference

Written = Row[Notification, str, str, str, str, int | None]  # with name, address, title, marketplace, case


@dataclass(frozen=True)
class About:
    """What the letters of one mail are about, by number. `platform` is empty in a mail to staff."""

    cases: tuple[int, ...]
    milestones: tuple[int, ...]
    projects: tuple[int, ...]
    platform: str

    @property
    def references(self) -> list[str]:
        return [
            *(f"case {reference('case', number)}" for number in self.cases),
            *(f"milestone {reference('milestone', number)}" for number in self.milestones),
            *(f"project {reference('project', number)}" for number in self.projects),
        ]


def written(session: Session, which: ColumnElement[bool]) -> Sequence[Written]:
    """These letters with what their frames are made of, in their order."""
    case_of = func.coalesce(
        _case_of(Decision.case_id, Decision.id, "decision"),
        _case_of(SettlementProposal.case_id, SettlementProposal.id, "offer"),
    )
    return session.execute(
        select(
            Notification,
            func.coalesce(Party.name, Staff.name),
            func.coalesce(Notification.address, Party.email, Staff.email),
            Project.title,
            func.coalesce(Project.platform, Party.platform),
            func.coalesce(case((Notification.about_kind == "ticket", Notification.about_id)), case_of),
        )
        .outerjoin(Party, Party.id == Notification.party_id)
        .outerjoin(Staff, Staff.id == Notification.staff_id)
        .outerjoin(Project, Project.id == Notification.project_id)
        .where(which)
        .order_by(Notification.id)
    ).all()


def about(rows: Sequence[Written]) -> About:
    """The cases, milestones and projects that the letters of one mail are about, and whose marketplace it is."""
    return About(
        cases=_numbers(row[5] for row in rows),
        milestones=_numbers(row[0].milestone_id for row in rows),
        projects=_numbers(row[0].project_id for row in rows),
        platform=rows[0][4] if rows[0][0].party_id is not None else "",
    )


def around(settings: Settings, *, name: str, about: About, templates: Iterable[str]) -> Frame:
    """What stands around the letters of one mail: the name, the references, the link and the contact."""
    platform = about.platform
    project, milestone = (each[0] if len(each) == 1 else None for each in (about.projects, about.milestones))
    return Frame(
        name,
        about.references,
        templates=frozenset(templates),
        staff=not platform,
        link=settings.link(platform, project=project, milestone=milestone) if platform else settings.desk_url,
        contact=settings.contact(platform) if platform else "",
    )


def of_letter(session: Session, settings: Settings, number: int) -> Frame:
    """Around this letter, or around the mail in which it goes together with others."""
    mail = session.scalar(select(Notification.mail).where(Notification.id == number))
    rows = written(session, Notification.mail == mail if mail else Notification.id == number)
    return around(settings, name=rows[0][1], about=about(rows), templates={row[0].template for row in rows})


def _case_of(case_id: InstrumentedAttribute[int], number: InstrumentedAttribute[int], kind: str) -> Any:
    """The case of what gave cause for a letter, if it is of this kind."""
    return (
        select(case_id)
        .where(number == Notification.about_id, Notification.about_kind == kind)
        .scalar_subquery()
    )


def _numbers(found: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(number for number in found if number is not None))
