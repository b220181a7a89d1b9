"""From an accepted bid to money that is held: projects, engagements, milestones and funding."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.actions import engagement, fund, projects
from core.desk import Desk
from core.door import answers, naming, shapes
from core.door.once import asked, once
from core.door.problems import AskedDifferently
from core.door.replies import ProjectAnswer, ScheduleAnswer
from core.errors import NotFound
from core.records import Project
from core.rules.permissions import Actor
from core.rules.schedule import PlannedMilestone


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["Projects"])
    _agreeing(desk, router)
    _reading(desk, router)
    _paying(desk, router)
    return router


def _agreeing(desk: Desk, router: APIRouter) -> None:
    @router.post("/bids", status_code=201, response_model=ProjectAnswer)
    def accept_bid(request: Request, body: shapes.AcceptedBid, key: shapes.IdempotencyKey) -> Response:
        """The payer accepted a bid: a project with default milestones. The same bid twice: the same project."""

        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            payer = naming.party(session, request.state.caller, body.payer, role="PAYER")
            payee = naming.party(session, request.state.caller, body.payee, role="PAYEE")
            project = projects.accept_bid(
                session,
                Actor("party", payer.id),
                now=now,
                payer_id=payer.id,
                payee_id=payee.id,
                bid_reference=body.bid_reference,
                title=body.title,
                scope=body.scope,
                project_type=body.project_type,
                fee_mode=body.fee_mode,
                total=body.total.money(),
            )
            _require_same(project, body, payer.id, payee.id)
            return answers.of_project(session, project)

        return once(desk, asked(request, key), act, status=201)

    @router.post("/projects/{project_id}/engagement", response_model=ProjectAnswer)
    def confirm_engagement(
        request: Request,
        project_id: shapes.ProjectId,
        body: shapes.Confirmation,
        key: shapes.IdempotencyKey,
    ) -> Response:
        """One side confirms one part. When nothing is missing the engagement is active, and payments are possible."""

        def act(session: Session, actor: Actor, now: datetime) -> None:
            part = engagement.Part[body.part]
            engagement.confirm(session, actor, now=now, project_id=project_id, part=part)

        return _on_project(desk, request, key, project_id, body.party, act)

    @router.post("/projects/{project_id}/milestones", response_model=ProjectAnswer)
    def adjust_milestones(
        request: Request, project_id: shapes.ProjectId, body: shapes.Adjustment, key: shapes.IdempotencyKey
    ) -> Response:
        """The payer divides the accepted total anew, as long as nothing was paid; this is the whole new division."""

        def act(session: Session, actor: Actor, now: datetime) -> None:
            planned = [
                PlannedMilestone(
                    title=each.title,
                    deliverable=each.deliverable,
                    amount=each.amount.money(),
                    acceptance_rule=each.acceptance_rule,
                    target_date=each.target_date,
                )
                for each in body.milestones
            ]
            projects.adjust_milestones(session, actor, now=now, project_id=project_id, planned=planned)

        return _on_project(desk, request, key, project_id, body.party, act)


def _reading(desk: Desk, router: APIRouter) -> None:
    @router.get("/projects", response_model=ProjectAnswer)
    def read_project_of_bid(request: Request, bid_reference: shapes.Named) -> Response:
        """The project of a bid, by the platform's own reference."""
        with desk.database.reading() as session:
            project = naming.project_of_bid(session, request.state.caller, bid_reference)
            return JSONResponse(answers.of_project(session, project))

    @router.get("/projects/{project_id}", response_model=ProjectAnswer)
    def read_project(request: Request, project_id: shapes.ProjectId) -> Response:
        """A project with its engagement, its milestones and where their money is."""
        with desk.database.reading() as session:
            project = naming.project(session, request.state.caller, project_id)
            return JSONResponse(answers.of_project(session, project))

    @router.get("/projects/{project_id}/schedule", response_model=ScheduleAnswer)
    def read_schedule(request: Request, project_id: shapes.ProjectId) -> Response:
        """What the payer pays, milestone by milestone, with the fees."""
        with desk.database.reading() as session:
            project = naming.project(session, request.state.caller, project_id)
            return JSONResponse(answers.of_schedule(session, project))


def _paying(desk: Desk, router: APIRouter) -> None:
    @router.post("/projects/{project_id}/fund", status_code=202, response_model=ProjectAnswer)
    def fund_milestones(
        request: Request, project_id: shapes.ProjectId, body: shapes.Funding, key: shapes.IdempotencyKey
    ) -> Response:
        """The payer pays for one or several milestones. The charge goes out after this; its outcome is an event."""

        def act(session: Session, actor: Actor, now: datetime) -> None:
            for number in sorted(set(body.milestones)):  # locked in the one order
                if naming.milestone(session, request.state.caller, number).project_id != project_id:
                    raise NotFound(kind="milestone", id=number)
                fund.fund(session, actor, now=now, milestone_id=number, payment_method=body.payment_method)

        return _on_project(desk, request, key, project_id, body.party, act, status=202)


def _require_same(project: Project, body: shapes.AcceptedBid, payer_id: int, payee_id: int) -> None:
    """A bid that was accepted before was the same bid."""
    pairs = (
        ("payer", project.payer_id, payer_id),
        ("payee", project.payee_id, payee_id),
        ("total", (project.total_minor, project.currency), (body.total.minor, body.total.currency)),
        ("project type", project.project_type, body.project_type),
        ("scope", project.scope, body.scope),
    )
    for what, known, said in pairs:
        if known != said:
            raise AskedDifferently(kind="Bid", id=body.bid_reference, what=what)


def _on_project(
    desk: Desk, request: Request, key: str, project_id: int, party: str, do: Any, *, status: int = 200
) -> Response:
    """Do it as this party to this project of the platform, once, and answer with the project as it is then."""
    caller = request.state.caller

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        naming.project(session, caller, project_id)
        do(session, naming.actor(session, caller, party), now)
        session.flush()
        return answers.of_project(session, naming.project(session, caller, project_id))

    return once(desk, asked(request, key), act, status=status)
