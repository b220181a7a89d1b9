"""Evidence and messages of a milestone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.records import (
    Evidence,
    EvidenceView,
    Message,
    Party,
    Staff,
)


@dataclass(frozen=True)
class EvidenceItem:
    """One piece of evidence. `opened_at` is when this member of staff first opened it."""

    id: int
    kind: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    caption: str
    uploader: str
    uploader_role: str
    at: datetime
    taken_at: datetime | None
    opened_at: datetime | None


def evidence(
    session: Session, milestone_id: int, *, staff_id: int | None, until: datetime | None = None
) -> list[EvidenceItem]:
    """All evidence of a milestone in order of submission; what this person had opened `until` then."""
    opened = (EvidenceView.evidence_id == Evidence.id) & (EvidenceView.staff_id == staff_id)
    rows = session.execute(
        select(
            Evidence.id,
            Evidence.kind,
            Evidence.file_name,
            Evidence.media_type,
            Evidence.size_bytes,
            Evidence.sha256,
            Evidence.caption,
            Party.name,
            Party.role,
            Evidence.at,
            Evidence.taken_at,
            EvidenceView.first_at,
        )
        .join(Party, Party.id == Evidence.uploaded_by)
        .outerjoin(EvidenceView, opened if until is None else opened & (EvidenceView.first_at <= until))
        .where(Evidence.milestone_id == milestone_id)
        .order_by(Evidence.at, Evidence.id)
    )
    return [EvidenceItem(*tuple(row)) for row in rows]


def newest(session: Session, milestone_id: int) -> int:
    """The number of the latest message about a milestone; 0 without any."""
    return session.scalar(select(func.max(Message.id)).where(Message.milestone_id == milestone_id)) or 0


@dataclass(frozen=True)
class MessageItem:
    """A message. `side` is PAYER, PAYEE, STAFF or SYSTEM."""

    id: int
    at: datetime
    author: str
    side: str
    audience: str
    body: str


def messages(
    session: Session,
    milestone_id: int,
    *,
    since: datetime | None = None,
    beyond: int | None = None,
    until: datetime | None = None,
    latest: int | None = None,
) -> list[MessageItem]:
    """What the parties and staff wrote about a milestone, oldest first: `since` one instant or `beyond` one message,
    `until` another instant, and only the `latest`."""
    wanted = (
        select(Message, Party.name, Party.role, Staff.name)
        .outerjoin(Party, (Message.author_kind == "party") & (Party.id == Message.author_id))
        .outerjoin(Staff, (Message.author_kind == "staff") & (Staff.id == Message.author_id))
        .where(Message.milestone_id == milestone_id)
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(latest)
    )
    if since:
        wanted = wanted.where(Message.at > since)
    if beyond is not None:
        wanted = wanted.where(Message.id > beyond)
    rows = session.execute(wanted.where(Message.at <= until) if until else wanted).all()
    return [
        MessageItem(
            id=each.id,
            at=each.at,
            author=party or staff or "Escrow Desk",
            side=role or each.author_kind.upper(),
            audience=each.audience,
            body=each.body,
        )
        for each, party, role, staff in reversed(rows)
    ]
