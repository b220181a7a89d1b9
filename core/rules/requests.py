"""What a party may be asked for, and what counts as an answer.

A case that waits for a party goes on by itself: when they answer, or when their time is up.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from core.errors import DeskError


class RequestKind(StrEnum):
    ANSWER = "ANSWER"  # words or a file
    DOCUMENT = "DOCUMENT"  # a file; words alone are not enough

    @property
    def label(self) -> str:
        return "An answer" if self is RequestKind.ANSWER else "A document"


class RequestStatus(StrEnum):
    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    UNANSWERED = "UNANSWERED"  # the time was up
    WITHDRAWN = "WITHDRAWN"  # staff went on without it, or the case ended

    @property
    def label(self) -> str:
        return {RequestStatus.OPEN: "Waiting", RequestStatus.UNANSWERED: "Not answered in time"}.get(
            self, self.value.capitalize()
        )


class AnswerTimePast(DeskError):
    """{at:%d %B %Y at %H:%M} UTC has passed; give the party time to answer."""


class NothingAsked(DeskError, tells=("dispute",)):
    """This case waits for nobody."""


class AnswerAfterDecision(DeskError):
    """The case is to be decided by {decide_by:%d %B %Y at %H:%M} UTC, so the time to answer may not end later."""


def check_due(due_at: datetime, now: datetime, *, decide_by: datetime | None) -> None:
    """`decide_by`: None once that time is over and the case is escalated, or while no mediator has it. The table of
    cases keeps the same law; when mediation begins, what was asked before is withdrawn."""
    if due_at <= now:
        raise AnswerTimePast(at=due_at)
    if decide_by is not None and due_at > decide_by:
        raise AnswerAfterDecision(decide_by=decide_by)


def answers(kind: RequestKind, *, with_file: bool) -> bool:
    """Does this answer what was asked? A question is answered by words or a file, a wanted document by a file."""
    return with_file or kind is RequestKind.ANSWER
