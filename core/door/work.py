"""Work, its approval and its disputes: what payer and payee say about one milestone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.actions import conversation, dispute, evidence, hold, verify
from core.desk import Desk
from core.door import answers, naming, shapes
from core.door.answers import DisputeAnswer, EvidenceAnswer, MessageAnswer, MilestoneAnswer
from core.door.once import asked, once
from core.rules.disputes import DisputeReason

# The multipart names of what comes with a file.
UploadParty = Annotated[
    str, Form(alias="party", min_length=1, max_length=shapes.NAME, pattern=shapes.ONE_LINE)
]
Caption = Annotated[str, Form(alias="caption", max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Upload = Annotated[
    UploadFile, File(alias="file", description="PNG, JPEG, WebP, PDF, text, e-mail or office file.")
]


@dataclass(frozen=True)
class Step:
    """Something that a party does to a milestone with nothing more to say."""

    path: str
    tag: str
    action: Callable[..., Any]
    words: str


STEPS = (
    Step(
        "complete",
        "Milestones",
        verify.submit,
        "The payee says that the work is done; the payer is asked to verify it.",
    ),
    Step(
        "approve",
        "Milestones",
        verify.approve,
        "The payer approves the work, and the held funds are released to the payee.",
    ),
    Step(
        "resubmit",
        "Disputes",
        dispute.resubmit,
        "The payee has addressed the issues and asks to be verified again; every clock starts anew.",
    ),
    Step(
        "withdraw-dispute",
        "Disputes",
        dispute.withdraw,
        "The payer takes the complaint back: the milestone is where it was before.",
    ),
    Step(
        "mediation", "Disputes", dispute.ask_mediation, "Either party asks for a mediator, who then decides."
    ),
)


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()
    _reading(desk, router)
    for step in STEPS:
        _step(desk, router, step)
    _complaining(desk, router)
    _saying(desk, router)
    return router


def _reading(desk: Desk, router: APIRouter) -> None:
    @router.get("/milestones/{milestone_id}", response_model=MilestoneAnswer, tags=["Milestones"])
    def read_milestone(request: Request, milestone_id: shapes.MilestoneId) -> Response:
        """A milestone, where its money is, and its latest dispute."""
        with desk.database.reading() as session:
            milestone = naming.milestone(session, request.state.caller, milestone_id)
            return JSONResponse(answers.of_milestone(session, milestone))

    @router.get("/disputes/{dispute_id}", response_model=DisputeAnswer, tags=["Disputes"])
    def read_dispute(request: Request, dispute_id: shapes.DisputeId) -> Response:
        """A dispute: where it stands, whose answer it waits for, and how it was decided."""
        with desk.database.reading() as session:
            ticket = naming.dispute(session, request.state.caller, dispute_id)
            return JSONResponse(answers.of_dispute(session, ticket))


def _step(desk: Desk, router: APIRouter, step: Step) -> None:
    def take(
        request: Request, milestone_id: shapes.MilestoneId, body: shapes.ByParty, key: shapes.IdempotencyKey
    ) -> Response:
        return _on_milestone(desk, request, key, milestone_id, body.party, step.action)

    router.add_api_route(
        f"/milestones/{{milestone_id}}/{step.path}",
        take,
        methods=["POST"],
        name=step.path.replace("-", "_"),
        description=step.words,
        response_model=MilestoneAnswer,
        tags=[step.tag],
    )


def _complaining(desk: Desk, router: APIRouter) -> None:
    @router.post("/milestones/{milestone_id}/dispute", response_model=MilestoneAnswer, tags=["Disputes"])
    def open_dispute(
        request: Request, milestone_id: shapes.MilestoneId, body: shapes.Dispute, key: shapes.IdempotencyKey
    ) -> Response:
        """The payer disputes the work, within the window; details may come with it or later."""
        said = {"reason": DisputeReason(body.reason), "details": body.details or ""}
        return _on_milestone(desk, request, key, milestone_id, body.party, dispute.open_dispute, **said)

    @router.post(
        "/milestones/{milestone_id}/dispute-details", response_model=MilestoneAnswer, tags=["Disputes"]
    )
    def explain_dispute(
        request: Request, milestone_id: shapes.MilestoneId, body: shapes.Details, key: shapes.IdempotencyKey
    ) -> Response:
        """The payer gives the details; they are forwarded to the payee."""
        said = {"details": body.details}
        return _on_milestone(desk, request, key, milestone_id, body.party, dispute.explain, **said)

    @router.post("/milestones/{milestone_id}/complaint", response_model=MilestoneAnswer, tags=["Disputes"])
    def complain_late(
        request: Request,
        milestone_id: shapes.MilestoneId,
        body: shapes.Complaint,
        key: shapes.IdempotencyKey,
    ) -> Response:
        """The payer complains after the dispute window: nothing is released until staff has looked."""
        said = {"reason": body.reason}
        return _on_milestone(desk, request, key, milestone_id, body.party, hold.complain, **said)


def _saying(desk: Desk, router: APIRouter) -> None:
    @router.post(
        "/milestones/{milestone_id}/messages",
        status_code=201,
        response_model=MessageAnswer,
        tags=["Disputes"],
    )
    def send_message(
        request: Request, milestone_id: shapes.MilestoneId, body: shapes.Said, key: shapes.IdempotencyKey
    ) -> Response:
        """A party writes about the milestone. A case that waits for this party's answer goes on."""
        caller = request.state.caller

        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            naming.milestone(session, caller, milestone_id)
            actor = naming.actor(session, caller, body.party)
            message = conversation.say(session, actor, now=now, milestone_id=milestone_id, body=body.body)
            return MessageAnswer(
                id=message.id,
                milestone=milestone_id,
                dispute=message.ticket_id,
                at=answers.moment(message.at),
            )

        return once(desk, asked(request, key), act, status=201)

    @router.post(
        "/milestones/{milestone_id}/evidence",
        status_code=201,
        response_model=EvidenceAnswer,
        tags=["Disputes"],
    )
    def hand_in_evidence(
        request: Request,
        milestone_id: shapes.MilestoneId,
        key: shapes.IdempotencyKey,
        party: UploadParty,
        file: Upload,
        caption: Caption = "",
    ) -> Response:
        """A party hands in a file about the milestone; the same file twice is one piece of evidence."""
        caller, content, name = request.state.caller, file.file.read(), file.filename or ""
        said = "\n".join((party, caption, name, hashlib.sha256(content).hexdigest()))

        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            naming.milestone(session, caller, milestone_id)
            row = evidence.hand_in(
                session,
                naming.actor(session, caller, party),
                now=now,
                store=desk.evidence,
                milestone_id=milestone_id,
                file_name=name,
                content=content,
                caption=caption,
            )
            return EvidenceAnswer(
                id=row.id,
                milestone=milestone_id,
                kind=row.kind,
                file_name=row.file_name,
                media_type=row.media_type,
                size_bytes=row.size_bytes,
                sha256=row.sha256,
                at=answers.moment(row.at),
            )

        return once(desk, asked(request, key, content=said.encode("utf-8", "replace")), act, status=201)


def _on_milestone(
    desk: Desk,
    request: Request,
    key: str,
    milestone_id: int,
    party: str,
    action: Callable[..., Any],
    **said: Any,
) -> Response:
    """Do it as this party to this milestone of the platform, once, and answer with the milestone as it is then."""
    caller = request.state.caller

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        naming.milestone(session, caller, milestone_id)
        action(session, naming.actor(session, caller, party), now=now, milestone_id=milestone_id, **said)
        session.flush()
        return answers.of_milestone(session, naming.milestone(session, caller, milestone_id))

    return once(desk, asked(request, key), act)
