"""Reviews of a finished project by both sides, and the ratings that come of them.

(milestone-payment-flow, Final Project Completion.) What one side wrote is read by nobody before the reviews are opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.milestones import ratings
from core.api import lookups, serializers
from core.api.http.dependencies import Change, CurrentCaller, ReadSession, Route
from core.api.models import requests
from core.api.models.responses.reviews import ReviewsAnswer
from core.api.openapi.descriptions import refusals
from core.records import FinalRating, ProjectReview, ReviewRound
from core.rules.permissions import NotYours
from core.rules.ratings import ReviewsClosed, ReviewTooLong, StarsOutOfRange

router = APIRouter(route_class=Route, tags=["Reviews"])


@router.post(
    "/projects/{project_id}/reviews",
    summary="Review the other party",
    status_code=201,
    response_model=ReviewsAnswer,
    responses=refusals(
        NotYours, ratings.NotAsked, ratings.ReviewedAlready, ReviewsClosed, ReviewTooLong, StarsOutOfRange
    ),
)
def submit_review(project_id: requests.ProjectId, body: requests.Review, change: Change) -> Response:
    """Each party of a completed project reviews the other once. Opened when both have, or after fourteen days."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.project(session, change.caller, project_id)
        actor = lookups.actor(session, change.caller, body.party)
        ratings.submit(session, actor, now=now, project_id=project_id, stars=body.stars, body=body.body)
        return of_round(session, session.get_one(ReviewRound, project_id))

    return change.once(act)


@router.get(
    "/projects/{project_id}/reviews",
    summary="Read the reviews of a project",
    response_model=ReviewsAnswer,
    responses=refusals(ratings.NotAsked),
)
def read_reviews(caller: CurrentCaller, session: ReadSession, project_id: requests.ProjectId) -> Response:
    """Who has reviewed; and once they are opened, the stars, the words and both final ratings."""
    lookups.project(session, caller, project_id)
    if (asked_for := session.get(ReviewRound, project_id)) is None:
        raise ratings.NotAsked(project=project_id)
    return JSONResponse(of_round(session, asked_for))


def of_round(session: Session, row: ReviewRound) -> ReviewsAnswer:
    opened = row.revealed_at is not None
    given = select(ProjectReview).where(ProjectReview.project_id == row.project_id)
    rated = select(FinalRating).where(FinalRating.project_id == row.project_id)
    return {
        "project": row.project_id,
        "asked_at": serializers.moment(row.asked_at),
        "due_at": serializers.moment(row.due_at),
        "opened_at": serializers.moment(row.revealed_at),
        "reviews": [
            {
                "author": serializers.known_as(session, each.author_id),
                "about": serializers.known_as(session, each.subject_id),
                "at": serializers.moment(each.at),
                "stars": each.stars if opened else None,
                "body": each.body if opened else None,
            }
            for each in session.scalars(given.order_by(ProjectReview.id))
        ],
        "ratings": [
            {"party": serializers.known_as(session, each.party_id), **serializers.of_rating(each)}
            for each in session.scalars(rated.order_by(FinalRating.party_id))
        ],
    }
