"""Finding what a request names, within the caller's platform. What belongs to another platform is not there."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.door.keys import Caller
from core.door.problems import WrongRole
from core.errors import NotFound
from core.records import Milestone, Party, Project, Ticket
from core.rules.permissions import Actor


def party(session: Session, caller: Caller, external_id: str, *, role: str | None = None) -> Party:
    """The party of this platform with this id. Raises `NotFound`, and `WrongRole` where a role is needed."""
    found = session.scalars(
        select(Party).where(Party.platform == caller.platform, Party.external_id == external_id)
    ).one_or_none()
    if found is None:
        raise NotFound(kind="party", id=external_id)
    if role is not None and found.role != role:
        raise WrongRole(party=external_id, role=found.role.lower(), needed=role.lower())
    return found


def actor(session: Session, caller: Caller, external_id: str) -> Actor:
    """The party as the one who acts; the action itself asks whether it may."""
    return Actor("party", party(session, caller, external_id).id)


def project(session: Session, caller: Caller, number: int) -> Project:
    wanted = select(Project).where(Project.id == number, Project.platform == caller.platform)
    if (found := session.scalars(wanted).one_or_none()) is None:
        raise NotFound(kind="project", id=number)
    return found


def project_of_bid(session: Session, caller: Caller, bid_reference: str) -> Project:
    wanted = select(Project).where(
        Project.platform == caller.platform, Project.bid_reference == bid_reference
    )
    if (found := session.scalars(wanted).one_or_none()) is None:
        raise NotFound(kind="bid", id=bid_reference)
    return found


def milestone(session: Session, caller: Caller, number: int) -> Milestone:
    wanted = (
        select(Milestone)
        .join(Project, Project.id == Milestone.project_id)
        .where(Milestone.id == number, Project.platform == caller.platform)
    )
    if (found := session.scalars(wanted).one_or_none()) is None:
        raise NotFound(kind="milestone", id=number)
    return found


def dispute(session: Session, caller: Caller, number: int) -> Ticket:
    if (found := session.get(Ticket, number)) is None:
        raise NotFound(kind="dispute", id=number)
    try:
        milestone(session, caller, found.milestone_id)
    except NotFound:
        raise NotFound(kind="dispute", id=number) from None
    return found
