"""Work, its approval and its disputes: what payer and payee say about one milestone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.cases import conversation, disputes
from core.actions.cases.messages import MessageEmpty, MessageTooLong
from core.actions.funding import charges
from core.actions.milestones import verification
from core.actions.risk import holds
from core.api import lookups, serializers
from core.api.http.dependencies import Change, ChangeRequest, CurrentCaller, ReadSession, Route
from core.api.models import requests
from core.api.models.responses.disputes import DisputeAnswer
from core.api.models.responses.milestones import MilestoneAnswer
from core.api.openapi.descriptions import refusals
from core.errors import DeskError, ReasonMissing, ReasonTooLong
from core.rules.cases import AnswerNotDue, DisputeReason, DisputeWindowClosed, ReasonNotYours
from core.rules.holds import NothingToHold
from core.rules.permissions import Actor, NotYours
from core.rules.transitions import IllegalMove


@dataclass(frozen=True)
class MilestoneStep:
    """Something that a party does to a milestone with nothing more to say."""

    path: str
    name: str
    tag: str
    summary: str
    action: Callable[..., Any]
    words: str
    refused: tuple[type[DeskError], ...] = (NotYours, IllegalMove)


STEPS = (
    MilestoneStep(
        "complete",
        "complete_milestone",
        "Milestones",
        "Mark a milestone as complete",
        verification.submit,
        "The payee says that the work is done; the payer is asked to verify it.",
    ),
    MilestoneStep(
        "session-completed",
        "complete_session",
        "Milestones",
        "Say that a consultation took place",
        verification.complete_session,
        "The payee says that the session is over; its fee is released after the grace window, unless it is disputed.",
        (NotYours, IllegalMove, verification.NotASession),
    ),
    MilestoneStep(
        "cancel-payment",
        "cancel_payment",
        "Milestones",
        "Call off a payment that waits for the payer",
        charges.cancel,
        "The payer does not confirm it: it is called off within a minute or so, and the end is an event. Then the "
        "milestone can be funded again. Until then, and while a debit is processing, it cannot.",
        (NotYours, charges.NothingToConfirm),
    ),
    MilestoneStep(
        "approve",
        "approve_milestone",
        "Milestones",
        "Approve a milestone",
        verification.approve,
        "The payer approves the work, and the held funds are released to the payee.",
    ),
    MilestoneStep(
        "withdraw-dispute",
        "withdraw_dispute",
        "Disputes",
        "Withdraw a dispute",
        disputes.withdraw,
        "The payer withdraws the dispute: the milestone is back where it was before, and every deadline restarts.",
    ),
    MilestoneStep(
        "mediation",
        "ask_mediation",
        "Disputes",
        "Ask for mediation",
        disputes.ask_mediation,
        "Either party asks for a mediator, who then decides. The payee may do so without a dispute, once the payer's "
        "time to answer is over.",
        (NotYours, IllegalMove, AnswerNotDue),
    ),
    MilestoneStep(
        "withdraw-complaint",
        "withdraw_complaint",
        "Disputes",
        "Withdraw a late complaint",
        holds.withdraw_complaint,
        "The payer withdraws a late complaint: its hold is lifted.",
        (NotYours, holds.NoOpenComplaint),
    ),
)


router = APIRouter(route_class=Route)


@router.get(
    "/milestones/{milestone_id}",
    summary="Read a milestone",
    response_model=MilestoneAnswer,
    tags=["Milestones"],
)
def read_milestone(
    caller: CurrentCaller, session: ReadSession, milestone_id: requests.MilestoneId
) -> Response:
    """A milestone, where its money is, and its latest dispute."""
    milestone = lookups.milestone(session, caller, milestone_id)
    return JSONResponse(serializers.of_milestone(session, milestone))


@router.get(
    "/disputes/{dispute_id}", summary="Read a dispute", response_model=DisputeAnswer, tags=["Disputes"]
)
def read_dispute(caller: CurrentCaller, session: ReadSession, dispute_id: requests.DisputeId) -> Response:
    """A dispute: where it stands, whose answer it waits for and what is asked, and how it was decided."""
    case = lookups.dispute(session, caller, dispute_id)
    return JSONResponse(serializers.of_dispute(session, case))


def _taken(action: Callable[..., Any]) -> Callable[..., Response]:
    def take(milestone_id: requests.MilestoneId, body: requests.ByParty, change: Change) -> Response:
        return _on_milestone(change, milestone_id, body.party, action)

    return take


for step in STEPS:
    router.add_api_route(
        f"/milestones/{{milestone_id}}/{step.path}",
        _taken(step.action),
        methods=["POST"],
        name=step.name,
        summary=step.summary,
        description=step.words,
        response_model=MilestoneAnswer,
        responses=refusals(*step.refused),
        tags=[step.tag],
    )


@router.post(
    "/milestones/{milestone_id}/dispute",
    summary="Dispute the work",
    response_model=MilestoneAnswer,
    responses=refusals(NotYours, DisputeWindowClosed, IllegalMove, ReasonNotYours, MessageTooLong),
    tags=["Disputes"],
)
def open_dispute(milestone_id: requests.MilestoneId, body: requests.Dispute, change: Change) -> Response:
    """The payer disputes the work, within the window; details may come with it or later."""
    said = {"reason": DisputeReason(body.reason), "details": body.details or ""}
    return _on_milestone(change, milestone_id, body.party, disputes.open_dispute, **said)


@router.post(
    "/milestones/{milestone_id}/dispute-details",
    summary="Give the details of a dispute",
    response_model=MilestoneAnswer,
    responses=refusals(NotYours, disputes.NoOpenDispute, MessageEmpty, MessageTooLong),
    tags=["Disputes"],
)
def explain_dispute(milestone_id: requests.MilestoneId, body: requests.Details, change: Change) -> Response:
    """The payer gives the details; they are forwarded to the payee."""
    said = {"details": body.details}
    return _on_milestone(change, milestone_id, body.party, disputes.explain, **said)


@router.post(
    "/milestones/{milestone_id}/resubmit",
    summary="Ask for verification again",
    response_model=MilestoneAnswer,
    responses=refusals(NotYours, IllegalMove, MessageEmpty, MessageTooLong),
    tags=["Disputes"],
)
def resubmit_milestone(milestone_id: requests.MilestoneId, body: requests.Rework, change: Change) -> Response:
    """The payee has addressed the issues, may say how, and asks to be verified again; every deadline restarts."""

    def addressed(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
        if body.details is not None:
            conversation.say(session, actor, now=now, milestone_id=milestone_id, body=body.details)
        disputes.resubmit(session, actor, now=now, milestone_id=milestone_id)

    return _on_milestone(change, milestone_id, body.party, addressed)


@router.post(
    "/milestones/{milestone_id}/complaint",
    summary="Complain after the dispute window",
    response_model=MilestoneAnswer,
    responses=refusals(NotYours, holds.NotALateComplaint, NothingToHold, ReasonMissing, ReasonTooLong),
    tags=["Disputes"],
)
def complain_late(milestone_id: requests.MilestoneId, body: requests.Complaint, change: Change) -> Response:
    """The payer complains after the dispute window: nothing is released until staff has looked."""
    said = {"reason": body.reason}
    return _on_milestone(change, milestone_id, body.party, holds.complain, **said)


def _on_milestone(
    change: ChangeRequest,
    milestone_id: int,
    party: str,
    action: Callable[..., Any],
    **said: Any,
) -> Response:
    """Do it as this party to this milestone of the platform, once, and answer with the milestone as it is then."""
    caller = change.caller

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.milestone(session, caller, milestone_id)
        action(session, lookups.actor(session, caller, party), now=now, milestone_id=milestone_id, **said)
        session.flush()
        return serializers.of_milestone(session, lookups.milestone(session, caller, milestone_id))

    return change.once(act)
