"""Messages of a milestone, and e-mails to the parties."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.names import EmailKind
from core.api.models.responses.plain import Moment, PageAnswer
from core.rules.messages import AuthorKind
from core.rules.notifications import LetterStatus


class EmailAnswer(TypedDict):
    """An e-mail to a party. `kind` is the name by which it can be muted, where it can."""

    id: int
    party: str
    kind: EmailKind
    project: int | None
    milestone: int | None
    dispute: int | None
    subject: str
    urgent: bool
    status: LetterStatus
    written_at: Moment
    sent_at: Moment | None


class EmailsAnswer(PageAnswer):
    items: list[EmailAnswer]


class EmailTextAnswer(EmailAnswer):
    """With its words. `html` is for a reader of mail, and for no page of yours."""

    text: str
    html: str


class MessageAnswer(TypedDict):
    id: int
    milestone: int
    dispute: int | None
    at: Moment


class SaidAnswer(MessageAnswer):
    """`author`: party, staff or system; `party` names which one."""

    author: AuthorKind
    party: str | None
    body: str


class MessagesAnswer(PageAnswer):
    items: list[SaidAnswer]
