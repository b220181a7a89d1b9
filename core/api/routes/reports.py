"""What the marketplace and its people report: reports, and events of content rules.

(payment-escrow-rules, Risk Controls.) The desk's staff looks into each; until then money may be held back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.risk import reports
from core.api import lookups
from core.api.http.dependencies import Change, ChangeRequest, CurrentCaller, ReadSession, Route
from core.api.models import requests
from core.api.models.responses.risk import ReportAnswer
from core.api.openapi.descriptions import refusals
from core.api.word_serializers import of_reports
from core.rules.permissions import SYSTEM, Actor, NotYours
from core.rules.reports import DetailsMissing, DetailsTooLong, Source

router = APIRouter(route_class=Route, tags=["Risk"])


@router.post(
    "/projects/{project_id}/reports",
    summary="A party reports something",
    status_code=201,
    response_model=ReportAnswer,
    responses=refusals(NotYours, reports.ReportKnownOtherwise, DetailsMissing, DetailsTooLong),
)
def file_report(project_id: requests.ProjectId, body: requests.ReportRequest, change: Change) -> Response:
    """Off-platform contact, harassment, a threat, or something else about the other party. Staff settles it."""

    def actor(session: Session) -> Actor:
        return lookups.actor(session, change.caller, body.party)

    return _file(change, project_id, body, actor, source=Source.PERSON)


@router.post(
    "/projects/{project_id}/content-events",
    summary="A content rule found something",
    status_code=201,
    response_model=ReportAnswer,
    responses=refusals(reports.ReportKnownOtherwise, DetailsMissing, DetailsTooLong),
)
def file_content_event(
    project_id: requests.ProjectId,
    body: requests.ContentEvent,
    change: Change,
) -> Response:
    """A ContentRuleEvent of the marketplace. A severe one stops every payout until staff has settled it."""
    return _file(
        change,
        project_id,
        body,
        lambda _: SYSTEM,
        source=Source.CONTENT_RULE,
        severity=body.severity,
        subject=body.about,
    )


def _file(
    change: ChangeRequest,
    project_id: int,
    body: requests.ReportRequest | requests.ContentEvent,
    actor: Callable[[Session], Actor],
    **said: Any,
) -> Response:
    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.project(session, change.caller, project_id)
        report = reports.file(
            session,
            actor(session),
            now=now,
            project_id=project_id,
            kind=body.kind,
            details=body.details,
            milestone_id=body.milestone,
            external_id=body.external_id,
            **said,
        )
        return of_reports(session, [report])[0]

    return change.once(act)


@router.get("/reports/{report_id}", summary="Read a report", response_model=ReportAnswer)
def read_report(caller: CurrentCaller, session: ReadSession, report_id: requests.ReportId) -> Response:
    """A report or content event, and what came of it."""
    report = lookups.report(session, caller, report_id)
    return JSONResponse(of_reports(session, [report])[0])
