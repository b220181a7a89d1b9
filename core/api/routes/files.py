"""Evidence and e-mails, back to the marketplace whose parties they are. Their lists are in `lists`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.cases import evidence
from core.api import lookups
from core.api.http.dependencies import CurrentCaller, CurrentDesk, ReadSession, Route
from core.api.http.files import attachment, file_of
from core.api.http.problem_details import FilesErased, Unavailable
from core.api.models import requests
from core.api.models.responses.evidence import EvidenceAnswer
from core.api.models.responses.messages import EmailTextAnswer
from core.api.openapi.descriptions import refusals
from core.api.word_serializers import of_emails, of_evidence
from core.gateways.evidence_keys import EvidenceErased
from core.gateways.evidence_store import EvidenceAltered, EvidenceMissing
from core.records import Evidence, Party
from core.rules.evidence import EvidenceRefused
from core.rules.permissions import SYSTEM

Shown = Annotated[
    bool,
    Query(
        description="The desk's own copy of a picture, or of the first frame of a video: re-encoded, without what the "
        "camera wrote into it. Otherwise the original, byte by byte."
    ),
]


def kind_of(picture: bytes) -> str:
    """What the desk drew is one of two."""
    return "png" if picture.startswith(b"\x89PNG") else "jpg"


router = APIRouter(route_class=Route, tags=["Messages and evidence"])


@router.get("/evidence/{evidence_id}", summary="Read a piece of evidence", response_model=EvidenceAnswer)
def read_evidence(caller: CurrentCaller, session: ReadSession, evidence_id: requests.EvidenceId) -> Response:
    """What was submitted, by whom and when; its bytes are fetched from `file`."""
    found = session.get(Evidence, evidence_id)
    row = lookups.of_milestone(session, caller, found, kind="evidence", number=evidence_id)
    return JSONResponse(of_evidence(session, [row])[0])


@router.get(
    "/evidence/{evidence_id}/file",
    summary="Fetch a piece of evidence",
    response_class=Response,
    responses={
        **file_of(
            "application/octet-stream", "The bytes. They come from outside: keep them away from a browser."
        ),
        **refusals(FilesErased, EvidenceRefused),
    },
)
def fetch_evidence(
    caller: CurrentCaller,
    desk: CurrentDesk,
    evidence_id: requests.EvidenceId,
    reencoded: Shown = False,
) -> Response:
    """A file as it was submitted, checked by its hash, or the desk's own copy of a picture. Who takes it is noted."""

    def act(session: Session) -> tuple[str, bytes]:
        found = session.get(Evidence, evidence_id)
        row = lookups.of_milestone(session, caller, found, kind="evidence", number=evidence_id)
        try:
            content = evidence.give_back(
                session,
                SYSTEM,
                row,
                now=desk.clock(),
                store=desk.evidence,
                by_key=caller.prefix,
                shown=reencoded,
            )
        except EvidenceErased:
            raise FilesErased(party=session.get_one(Party, row.uploaded_by).external_id) from None
        return f"evidence-{row.id}.{kind_of(content)}" if reencoded else row.file_name, content

    try:
        name, content = desk.database.run(act)
    except (EvidenceMissing, EvidenceAltered):
        raise Unavailable(why="the file cannot be read as it was submitted, and staff looks at it") from None
    return attachment(name, content, media_type="application/octet-stream")


@router.get("/emails/{email_id}", summary="Read an e-mail", response_model=EmailTextAnswer)
def read_email(caller: CurrentCaller, session: ReadSession, email_id: requests.EmailId) -> Response:
    """An e-mail to a party, with its words."""
    row = lookups.email(session, caller, email_id)
    return JSONResponse({**of_emails(session, [row])[0], "text": row.text, "html": row.html})
