"""Practices of another state, flagged and resolved by the marketplace.

(payment-escrow-rules, Risk Controls.) The desk's staff looks into each; until then money is held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.risk import practice_flags
from core.api import lookups, serializers
from core.api.http.dependencies import Change, CurrentCaller, ReadSession, Route
from core.api.models import requests
from core.api.models.responses.risk import PracticeAnswer
from core.api.openapi.descriptions import refusals
from core.errors import ReasonMissing, ReasonTooLong
from core.records import PracticeFlag
from core.rules.outside_words import SamePlace
from core.rules.permissions import SYSTEM, NotPermitted

router = APIRouter(route_class=Route, tags=["Risk"])


@router.get("/practice-flags/{flag_id}", summary="Read a flagged practice", response_model=PracticeAnswer)
def read_practice_flag(caller: CurrentCaller, session: ReadSession, flag_id: requests.FlagId) -> Response:
    """A practice that is licensed elsewhere, and whether that is resolved."""
    return JSONResponse(of_flag(lookups.practice_flag(session, caller, flag_id)))


@router.post(
    "/projects/{project_id}/practice-flags",
    summary="Flag a practice of another state",
    status_code=201,
    response_model=PracticeAnswer,
    responses=refusals(practice_flags.MismatchFlagged, SamePlace),
)
def flag_practice(project_id: requests.ProjectId, body: requests.Mismatch, change: Change) -> Response:
    """The practice is licensed in another state than where it is needed: money waits for a risk review."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.project(session, change.caller, project_id)
        states = body.model_dump()
        return of_flag(practice_flags.flag(session, SYSTEM, now=now, project_id=project_id, **states))

    return change.once(act)


@router.post(
    "/practice-flags/{flag_id}/resolve",
    summary="Resolve a flagged practice",
    response_model=PracticeAnswer,
    responses=refusals(practice_flags.MismatchResolved, NotPermitted, ReasonMissing, ReasonTooLong),
)
def resolve_practice_flag(flag_id: requests.FlagId, body: requests.Resolution, change: Change) -> Response:
    """The marketplace resolves what it flagged itself. Staff still ends the review that was opened for it."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        flag = lookups.practice_flag(session, change.caller, flag_id)
        practice_flags.resolve(session, SYSTEM, now=now, flag_id=flag_id, resolution=body.resolution)
        return of_flag(flag)

    return change.once(act)


def of_flag(row: PracticeFlag) -> PracticeAnswer:
    return {
        "id": row.id,
        "project": row.project_id,
        "licensed_in": row.licensed_in,
        "needed_in": row.needed_in,
        "at": serializers.moment(row.at),
        "resolved_at": serializers.moment(row.resolved_at),
    }
