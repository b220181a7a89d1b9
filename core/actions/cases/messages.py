"""Writing a message about a milestone. Who may write to whom is decided in `conversation`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError
from core.records import Message
from core.rules.permissions import Actor
from core.rules.reasons import LONGEST
from core.rules.visible_text import says_something

MOST = LONGEST  # what staff give as a reason for a case becomes its first message


class MessageEmpty(DeskError):
    """Write something before sending."""


class MessageTooLong(DeskError):
    """A message has at most {most} characters; this one has {length}."""


def write(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    *,
    body: str,
    audience: str,
    case_id: int | None,
    now: datetime,
    contents: Sequence[Words] = (),
) -> Message:
    """Store a message with its audit entry. `contents`: further rows whose words change with it, hashed in the same
    entry."""
    message = Message(
        milestone_id=context.milestone.id,
        case_id=case_id,
        author_kind=actor.kind,
        author_id=actor.id,
        audience=audience,
        body=checked(body),
        at=now,
    )
    session.add(message)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.MESSAGE_SEND.by(actor.kind),
        now=now,
        about=("message", message.id),
        after={"audience": audience},
        contents=[message, *contents],
        case_id=case_id,
    )
    return message


def checked(body: str) -> str:
    """The words as they are written. Raises `MessageEmpty` or `MessageTooLong`."""
    if not says_something(body):
        raise MessageEmpty()
    if len(body) > MOST:
        raise MessageTooLong(most=MOST, length=len(body))
    return body
