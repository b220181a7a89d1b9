"""Finding what a request names, within the caller's platform. What belongs to another platform is not there."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.api.http.api_keys import Caller
from core.errors import NotFound
from core.records import (
    Case,
    Chargeback,
    Evidence,
    Milestone,
    Notification,
    Party,
    PaymentMethodSetup,
    Payout,
    PracticeFlag,
    Project,
    Receipt,
    Refund,
    Report,
    SettlementProposal,
    WebhookEndpoint,
)
from core.rules.parties import require_not_erased
from core.rules.permissions import Actor, NotYours

InProject = TypeVar("InProject", Report, PracticeFlag)
OfMilestone = TypeVar("OfMilestone", Case, Chargeback, Evidence, Receipt, Refund)


def party(session: Session, caller: Caller, external_id: str, *, erased_too: bool = False) -> Party:
    """The party of this platform with this id; `erased_too`: for whoever only reads. Raises `NotFound`,
    `PartyErased`."""
    found = session.scalars(
        select(Party).where(Party.platform == caller.platform, Party.external_id == external_id)
    ).one_or_none()
    if found is None:
        raise NotFound(kind="party", id=external_id)
    if not erased_too:
        require_not_erased(external_id, found.erased_at)
    return found


def actor(session: Session, caller: Caller, external_id: str) -> Actor:
    """The party as the one who acts, under the platform's own name; the action itself asks whether it may. Raises
    `PartyErased`."""
    return Actor("party", party(session, caller, external_id).id, known_as=external_id)


def number_of(who: Actor) -> int:
    """The desk's own number of a party that acts."""
    if who.kind != "party" or who.id is None:
        raise NotYours(actor=who.label)
    return who.id


def project(session: Session, caller: Caller, number: int) -> Project:
    wanted = select(Project).where(Project.id == number, Project.platform == caller.platform)
    if (found := session.scalars(wanted).one_or_none()) is None:
        raise NotFound(kind="project", id=number)
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


def report(session: Session, caller: Caller, number: int) -> Report:
    return _of_project(session, caller, session.get(Report, number), kind="report", number=number)


def practice_flag(session: Session, caller: Caller, number: int) -> PracticeFlag:
    found = session.get(PracticeFlag, number)
    return _of_project(session, caller, found, kind="practice flag", number=number)


def _of_project(
    session: Session, caller: Caller, found: InProject | None, *, kind: str, number: int
) -> InProject:
    if found is None or session.get_one(Project, found.project_id).platform != caller.platform:
        raise NotFound(kind=kind, id=number)
    if isinstance(found, Report) and found.author_kind == "staff":  # what staff noted is the desk's own
        raise NotFound(kind=kind, id=number)
    return found


def payout(session: Session, caller: Caller, number: int) -> Payout:
    found = session.get(Payout, number)
    if found is None or session.get_one(Party, found.party_id).platform != caller.platform:
        raise NotFound(kind="payout", id=number)
    return found


def of_milestone(
    session: Session, caller: Caller, found: OfMilestone | None, *, kind: str, number: int
) -> OfMilestone:
    """What belongs to a milestone of this platform. Raises `NotFound`."""
    if found is None:
        raise NotFound(kind=kind, id=number)
    try:
        milestone(session, caller, found.milestone_id)
    except NotFound:
        raise NotFound(kind=kind, id=number) from None
    return found


def email(session: Session, caller: Caller, number: int) -> Notification:
    """An e-mail to a party of this platform; what is written to staff is not there."""
    found = session.get(Notification, number)
    if (
        found is None
        or found.party_id is None
        or session.get_one(Party, found.party_id).platform != caller.platform
    ):
        raise NotFound(kind="e-mail", id=number)
    return found


def settlement_proposal(session: Session, caller: Caller, number: int) -> SettlementProposal:
    if (found := session.get(SettlementProposal, number)) is None:
        raise NotFound(kind="settlement proposal", id=number)
    try:
        dispute(session, caller, found.case_id)
    except NotFound:
        raise NotFound(kind="settlement proposal", id=number) from None
    return found


def endpoint(session: Session, caller: Caller, number: int) -> WebhookEndpoint:
    found = session.get(WebhookEndpoint, number)
    if found is None or found.platform != caller.platform or found.removed_at is not None:
        raise NotFound(kind="endpoint", id=number)
    return found


def setup(session: Session, caller: Caller, number: int) -> tuple[PaymentMethodSetup, Party]:
    wanted = (
        select(PaymentMethodSetup, Party)
        .join(Party, Party.id == PaymentMethodSetup.party_id)
        .where(PaymentMethodSetup.id == number, Party.platform == caller.platform)
    )
    if (found := session.execute(wanted).one_or_none()) is None:
        raise NotFound(kind="payment method setup", id=number)
    return found[0], found[1]


def dispute(session: Session, caller: Caller, number: int) -> Case:
    return of_milestone(session, caller, session.get(Case, number), kind="dispute", number=number)
