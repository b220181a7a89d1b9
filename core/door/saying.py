"""What the parties say and show about a milestone: messages, and files as evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from core.actions import conversation, evidence
from core.desk import Desk
from core.door import answers, naming, shapes
from core.door.once import asked, once
from core.door.replies import EvidenceAnswer, MessageAnswer

# The multipart names of what comes with a file.
UploadParty = Annotated[
    str, Form(alias="party", min_length=1, max_length=shapes.NAME, pattern=shapes.ONE_LINE)
]
Caption = Annotated[str, Form(alias="caption", max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Upload = Annotated[
    UploadFile, File(alias="file", description="PNG, JPEG, WebP, PDF, text, e-mail or office file.")
]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["Disputes"])

    @router.post(
        "/milestones/{milestone_id}/messages",
        status_code=201,
        response_model=MessageAnswer,
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

    return router
