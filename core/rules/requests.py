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
        return {"OPEN": "Waiting", "UNANSWERED": "Not answered in time"}.get(
            self.value, self.value.capitalize()
        )


class AnswerTimePast(DeskError):
    """{at:%d %B %Y at %H:%M} UTC has passed; give the party time to answer."""


class NothingAsked(DeskError):
    """This case waits for nobody."""


def check_due(due_at: datetime, now: datetime) -> None:
    if due_at <= now:
        raise AnswerTimePast(at=due_at)


def answers(kind: RequestKind, *, with_file: bool) -> bool:
    """Does this answer what was asked? A question is answered by words or a file, a wanted document by a file."""
    return with_file or kind is RequestKind.ANSWER
