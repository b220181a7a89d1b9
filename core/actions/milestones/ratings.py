"""Reviews and ratings: both sides are asked, both stay hidden until they are opened, then each has its final rating.

(milestone-payment-flow, Final Project Completion.)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.notifications import tell
from core.records import FinalRating, Party, Project, ProjectReview, ReviewRound
from core.rules import ratings as rules
from core.rules.permissions import SYSTEM, Actor, NotYours


class NotAsked(DeskError, tells=("project",)):
    """This project is not complete, so there is nothing to review yet."""


class ReviewedAlready(DeskError, tells=("project", "party")):
    """You have reviewed this project already. A review stays as it is."""


def ask(session: Session, project: Project, *, now: datetime) -> None:
    """Both parties are asked for a review (Request Project Review), when their project is completed: once."""
    row = ReviewRound(project_id=project.id, asked_at=now, due_at=rules.due_at(now))
    session.add(row)
    session.flush()
    for party_id in (project.payer_id, project.payee_id):
        _tell(session, project, "project_review_request", party_id, now=now, review_until=row.due_at)


def submit(
    session: Session, actor: Actor, *, now: datetime, project_id: int, stars: int, body: str = ""
) -> ProjectReview:
    """One party reviews the other, once. When both have, or the time was up, the reviews are opened. Raises
    `ReviewsClosed`, `NotYours`, `ReviewedAlready`, `NotAsked`."""
    rules.check(stars, body)
    asked = _locked(session, project_id)
    if asked is None:
        raise NotAsked(project=project_id)
    project = session.get_one(Project, project_id)
    parties = {project.payer_id: project.payee_id, project.payee_id: project.payer_id}
    if actor.kind != "party" or actor.id not in parties:
        raise NotYours(actor=actor.label)
    if asked.revealed_at is not None or now >= asked.due_at:
        raise rules.ReviewsClosed(project=project_id)
    given = set(session.scalars(_authors(project_id)))
    if actor.id in given:
        raise ReviewedAlready(project=project_id, party=session.get_one(Party, actor.id).external_id)
    review = ProjectReview(
        project_id=project_id,
        author_id=actor.id,
        subject_id=parties[actor.id],
        stars=stars,
        body=body.strip(),
        at=now,
    )
    session.add(review)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.REVIEW_SUBMIT.by("party"),
        object_kind="project",
        object_id=project_id,
        now=now,
        project_id=project_id,
    )
    reveal_if_due(session, project_id, now=now)
    return review


def reveal_if_due(session: Session, project_id: int, *, now: datetime) -> bool:
    """Open the reviews, calculate both final ratings and thank both parties; once."""
    asked = _locked(session, project_id)
    if asked is None or asked.revealed_at is not None:
        return False
    given = len(session.scalars(_authors(project_id)).all())
    if not rules.opens(given=given, due=asked.due_at, now=now):
        return False
    asked.revealed_at = now
    session.flush()
    project = session.get_one(Project, project_id)
    calculated = {}
    for party_id in (project.payer_id, project.payee_id):
        rating = _calculate(session, project_id, party_id, now=now)
        calculated[str(party_id)] = rating.tenths if rating else None
        said = rules.words(rating.tenths, rating.reviews) if rating else None
        _tell(session, project, "thanks", party_id, now=now, rating=said)
    audit.record(
        session,
        SYSTEM,
        AuditAction.REVIEW_REVEAL.by("system"),
        object_kind="project",
        object_id=project_id,
        now=now,
        project_id=project_id,
        after={"reviews": given, "ratings": calculated},
    )
    return True


def _calculate(session: Session, project_id: int, party_id: int, *, now: datetime) -> FinalRating | None:
    """From every review of this party that is open by now."""
    stars = session.scalars(
        select(ProjectReview.stars)
        .join(ReviewRound, ReviewRound.project_id == ProjectReview.project_id)
        .where(ProjectReview.subject_id == party_id, ReviewRound.revealed_at.is_not(None))
    ).all()
    tenths = rules.rating(stars)
    if tenths is None:
        return None
    row = FinalRating(
        project_id=project_id, party_id=party_id, reviews=len(stars), tenths=tenths, calculated_at=now
    )
    session.add(row)
    session.flush()
    return row


def _authors(project_id: int) -> Select[int]:
    return select(ProjectReview.author_id).where(ProjectReview.project_id == project_id)


def _locked(session: Session, project_id: int) -> ReviewRound | None:
    return session.get(ReviewRound, project_id, with_for_update=True, populate_existing=True)


def _tell(
    session: Session,
    project: Project,
    template: str,
    party_id: int,
    *,
    now: datetime,
    **facts: Any,
) -> None:
    tell(
        session,
        template,
        party_id=party_id,
        project_id=project.id,
        key=f"project-{project.id}-{template}-{party_id}",
        now=now,
        **facts,
    )
