"""From an accepted bid to money that is held: projects, engagements, milestones and funding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.funding import fund
from core.actions.funding.fund_several import fund_several
from core.actions.funding.settlement_currency import CurrencyNotSettled, SettlementUnknown
from core.actions.milestones import bids, engagement, payment_schedule, projects
from core.actions.milestones.orders import PaymentInFlight
from core.api import lookups, serializers
from core.api.http.dependencies import Change, ChangeRequest, CurrentCaller, ReadSession, Route
from core.api.models import requests
from core.api.models.responses.projects import ProjectAnswer, ScheduleAnswer
from core.api.openapi.descriptions import refusals
from core.money import AmountNotStripeExact, UnknownCurrency
from core.rules.amount_limits import AmountOutsideLimits
from core.rules.engagement import EngagementIncomplete
from core.rules.legal_checklist import PaymentsSwitchedOff
from core.rules.payee_accounts import CurrencyNotTaken
from core.rules.permissions import Actor, NotYours
from core.rules.projects import FundedInTurn, FundedWithGap
from core.rules.schedule import (
    FeeModeNotSupported,
    PlannedMilestone,
    ScheduleRefused,
    TotalNotPositive,
    TypeNotOffered,
)

router = APIRouter(route_class=Route, tags=["Projects"])


@router.post(
    "/bids",
    summary="Accept a bid",
    status_code=201,
    response_model=ProjectAnswer,
    responses=refusals(
        bids.BidKnownOtherwise,
        bids.WrongRole,
        bids.OtherPlatform,
        TotalNotPositive,
        AmountNotStripeExact,
        SettlementUnknown,
        UnknownCurrency,
        FeeModeNotSupported,
        TypeNotOffered,
        CurrencyNotSettled,
        AmountOutsideLimits,
        CurrencyNotTaken,
    ),
)
def accept_bid(body: requests.AcceptedBid, change: Change) -> Response:
    """The payer accepted a bid: a project with default milestones. The same bid twice: the same project."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        payer = lookups.party(session, change.caller, body.payer)
        payee = lookups.party(session, change.caller, body.payee)
        project = bids.accept(
            session,
            lookups.actor(session, change.caller, body.payer),
            now=now,
            bid=bids.Bid(
                payer_id=payer.id,
                payee_id=payee.id,
                reference=body.bid_reference,
                title=body.title,
                scope=body.scope,
                project_type=body.project_type,
                fee_mode=body.fee_mode,
                total=body.total.money(),
                funding=body.funding if "funding" in body.model_fields_set else None,
            ),
        )
        return serializers.of_project(session, project)

    return change.once(act)


@router.post(
    "/projects/{project_id}/engagement",
    summary="Confirm a part of the engagement",
    response_model=ProjectAnswer,
    responses=refusals(NotYours),
)
def confirm_engagement(
    project_id: requests.ProjectId,
    body: requests.Confirmation,
    change: Change,
) -> Response:
    """One side confirms one part. When nothing is missing the engagement is active, and payments are possible."""

    def act(session: Session, actor: Actor, now: datetime) -> None:
        engagement.confirm(session, actor, now=now, project_id=project_id, part=body.part)

    return _on_project(change, project_id, body.party, act)


@router.post(
    "/projects/{project_id}/milestones",
    summary="Adjust the milestones",
    response_model=ProjectAnswer,
    responses=refusals(
        SettlementUnknown,
        UnknownCurrency,
        NotYours,
        PaymentInFlight,
        ScheduleRefused,
        CurrencyNotSettled,
        AmountOutsideLimits,
    ),
)
def adjust_milestones(project_id: requests.ProjectId, body: requests.Adjustment, change: Change) -> Response:
    """The payer divides the accepted total again, as long as nothing was paid; this is the whole new division."""

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
        payment_schedule.adjust(session, actor, now=now, project_id=project_id, planned=planned)

    return _on_project(change, project_id, body.party, act)


@router.get("/projects/{project_id}", summary="Read a project", response_model=ProjectAnswer)
def read_project(caller: CurrentCaller, session: ReadSession, project_id: requests.ProjectId) -> Response:
    """A project with its engagement, its milestones and where their money is."""
    project = lookups.project(session, caller, project_id)
    return JSONResponse(serializers.of_project(session, project))


@router.get(
    "/projects/{project_id}/schedule", summary="Read the payment schedule", response_model=ScheduleAnswer
)
def read_schedule(caller: CurrentCaller, session: ReadSession, project_id: requests.ProjectId) -> Response:
    """What the payer pays, milestone by milestone, with the fees."""
    project = lookups.project(session, caller, project_id)
    return JSONResponse(serializers.of_schedule(session, project))


@router.post(
    "/projects/{project_id}/fund",
    summary="Fund one milestone or several",
    status_code=202,
    response_model=ProjectAnswer,
    responses=refusals(
        NotYours,
        FundedInTurn,
        FundedWithGap,
        fund.NotAwaitingFunding,
        fund.NoPaymentMethod,
        PaymentInFlight,
        EngagementIncomplete,
        PaymentsSwitchedOff,
        SettlementUnknown,
        CurrencyNotSettled,
        CurrencyNotTaken,
    ),
)
def fund_milestones(
    project_id: requests.ProjectId, body: requests.FundingRequest, change: Change
) -> Response:
    """The payer pays for the milestone whose turn it is, or for several where the project's funding is AHEAD.

    All of them or none. Each is a charge of its own that goes out after this; its outcome is an event. Where the
    payer's bank asks them, the milestone's payment says how they confirm it; one who is not there is told by e-mail.
    """

    def act(session: Session, actor: Actor, now: datetime) -> None:
        fund_several(
            session,
            actor,
            now=now,
            project_id=project_id,
            milestone_ids=set(body.milestones),
            payment_method=body.payment_method,
            return_url=body.return_url,
            off_session=body.off_session,
        )

    return _on_project(change, project_id, body.party, act)


@router.post(
    "/projects/{project_id}/funding",
    summary="Choose funding in turn or ahead",
    response_model=ProjectAnswer,
    responses=refusals(NotYours),
)
def choose_funding(project_id: requests.ProjectId, body: requests.FundingChoice, change: Change) -> Response:
    """The payer chooses: one milestone after the other, or several of the next ones at once."""

    def act(session: Session, actor: Actor, now: datetime) -> None:
        projects.choose_funding(session, actor, now=now, project_id=project_id, funding=body.funding)

    return _on_project(change, project_id, body.party, act)


def _on_project(
    change: ChangeRequest,
    project_id: int,
    party: str,
    do: Callable[[Session, Actor, datetime], None],
) -> Response:
    """Do it as this party to this project of the platform, once, and answer with the project as it is then."""
    caller = change.caller

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.project(session, caller, project_id)
        do(session, lookups.actor(session, caller, party), now)
        session.flush()
        return serializers.of_project(session, lookups.project(session, caller, project_id))

    return change.once(act)
