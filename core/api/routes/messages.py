"""What the parties say and show about a milestone: messages, and files as evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import WithJsonSchema
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.actions.cases import conversation, evidence
from core.actions.cases.messages import MessageEmpty, MessageTooLong
from core.api import lookups
from core.api.http.dependencies import Change, CurrentCaller, ReadSession, Route
from core.api.http.pages import CursorUnfit
from core.api.http.problem_details import AskedDifferently, FilesErased
from core.api.models import filters, requests
from core.api.models.responses.evidence import EvidenceAnswer
from core.api.models.responses.messages import MessageAnswer, MessagesAnswer
from core.api.openapi.descriptions import refusals
from core.api.routes import lists
from core.api.word_serializers import of_evidence, of_message, of_said
from core.errors import Wording, another
from core.gateways.evidence_keys import EvidenceErased
from core.records import Case, Evidence, Message
from core.rules import file_names
from core.rules.cases import BLOCKING
from core.rules.evidence import (
    CAPTION_LENGTH,
    EvidenceRefused,
    FileTooLarge,
    TooManyFiles,
    format_of,
    named_for,
)
from core.rules.messages import Audience
from core.rules.permissions import NotYours
from core.rules.requests import NothingAsked

# The multipart names of what comes with a file.
UploadParty = Annotated[
    str, Form(alias="party", min_length=1, max_length=requests.NAME, pattern=requests.ONE_LINE)
]
Caption = Annotated[str, Form(alias="caption", max_length=500, pattern=requests.MAYBE_LINE)]
Upload = Annotated[
    UploadFile,
    File(alias="file", description="PNG, JPEG, WebP, HEIC, MP4, MOV, PDF, text, e-mail, Word or Excel file."),
    WithJsonSchema({"type": "string", "format": "binary"}),
]


router = APIRouter(route_class=Route, tags=["Messages and evidence"])


@router.post(
    "/milestones/{milestone_id}/messages",
    summary="Send a message",
    status_code=201,
    response_model=MessageAnswer,
    responses=refusals(NotYours, MessageEmpty, MessageTooLong),
)
def send_message(
    milestone_id: requests.MilestoneId,
    body: requests.MessageRequest,
    change: Change,
) -> Response:
    """A party writes about the milestone. A case that waits for this party's answer goes on."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.milestone(session, change.caller, milestone_id)
        actor = lookups.actor(session, change.caller, body.party)
        said = conversation.say(session, actor, now=now, milestone_id=milestone_id, body=body.body)
        return of_message(said)

    return change.once(act)


@router.post(
    "/disputes/{dispute_id}/answer",
    summary="Answer what staff asked",
    status_code=201,
    response_model=MessageAnswer,
    responses=refusals(NotYours, NothingAsked, MessageEmpty, MessageTooLong),
)
def answer_request(dispute_id: requests.DisputeId, body: requests.MessageRequest, change: Change) -> Response:
    """The party that a dispute waits for answers, and the case goes on. A wanted document is sent as evidence."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.dispute(session, change.caller, dispute_id)
        actor = lookups.actor(session, change.caller, body.party)
        said = conversation.answer(session, actor, now=now, case_id=dispute_id, body=body.body)
        return of_message(said)

    return change.once(act)


@router.get(
    "/milestones/{milestone_id}/messages",
    summary="List the messages of a milestone",
    response_model=MessagesAnswer,
    responses=refusals(CursorUnfit),
)
def read_messages(
    caller: CurrentCaller,
    session: ReadSession,
    milestone_id: requests.MilestoneId,
    asked: Annotated[filters.Messages, Query()],
) -> Response:
    """What the parties and staff wrote to each other, the oldest first; what staff notes for itself is not here."""
    lookups.milestone(session, caller, milestone_id)
    wanted = select(Message).where(
        Message.milestone_id == milestone_id, Message.audience == Audience.PARTIES, Message.id > asked.after
    )
    return lists.shown(session, wanted, asked, {"id": Message.id}, of_said)


@router.post(
    "/milestones/{milestone_id}/evidence",
    summary="Submit evidence",
    status_code=201,
    response_model=EvidenceAnswer,
    responses=refusals(NotYours, EvidenceRefused, TooManyFiles, FileTooLarge, AskedDifferently, FilesErased),
)
def submit_evidence(
    milestone_id: requests.MilestoneId,
    change: Change,
    party: UploadParty,
    file: Upload,
    caption: Caption = "",
) -> Response:
    """A party submits a file about the milestone; the same file twice, from either party, is one piece of evidence,
    under the name that it came with first. While there is a dispute it belongs to that, and it answers what was asked
    of this party."""
    content, name = file.file.read(), file.filename or ""
    said = "\n".join((party, caption, name, hashlib.sha256(content).hexdigest()))

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.milestone(session, change.caller, milestone_id)
        try:
            row = evidence.submit(
                session,
                lookups.actor(session, change.caller, party),
                now=now,
                store=change.desk.evidence,
                milestone_id=milestone_id,
                file_name=name,
                content=content,
                caption=caption,
                case_id=_open_case(session, milestone_id),
            )
        except EvidenceErased:
            raise FilesErased(party=party) from None
        if odd := _said_otherwise(row, name=name, caption=caption):
            raise AskedDifferently(
                kind=Wording("Evidence", "evidence"), id=row.id, what=another(odd), fields=odd
            )
        return of_evidence(session, [row])[0]

    return change.once(act, content=said.encode("utf-8", "replace"))


def _said_otherwise(row: Evidence, *, name: str, caption: str) -> list[str]:
    """What was given beside the same bytes, and is stored with other words."""
    stored = {
        "file_name": row.file_name == named_for(file_names.clean(name), format_of(row.file_name)),
        "caption": not caption or row.caption == file_names.words(caption, longest=CAPTION_LENGTH),
    }
    return [field for field, same in stored.items() if not same]


def _open_case(session: Session, milestone_id: int) -> int | None:
    wanted = select(Case.id).where(Case.milestone_id == milestone_id, Case.status.in_(BLOCKING))
    return session.scalars(wanted).one_or_none()
