"""What whoever decides a case must have said they know: that it is another mediator's, that a party was asked and may
still answer, that money was refunded by hand, that words came in while they looked. Nothing of this forbids; each is
asked, and kept in the record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError


class Caution(StrEnum):
    ANOTHERS_CASE = "ANOTHERS_CASE"
    ANSWER_PENDING = "ANSWER_PENDING"
    REFUND_BY_HAND = "REFUND_BY_HAND"


class AnothersCase(DeskError):
    """This case is {mediator}'s. Decide it in their place only if you mean to: say so, and they are told."""


class AnswerPending(DeskError):
    """The {party} was asked on {asked:%d %B %Y} and has until {due:%d %B %Y at %H:%M} UTC to answer. Say so if you
    decide without the answer."""


class RefundByHand(DeskError):
    """{why} A refund that you decide is not sent before that; a release is paid all the same. Say so if you decide."""


class NewsUnread(DeskError):
    """{count} of the messages in this case came in while you looked at it. Nothing was done; read what is new first."""


def against(
    *,
    mediator: tuple[int, str] | None,
    me: int,
    asked: tuple[str, datetime, datetime] | None,
    by_hand: str = "",
) -> dict[Caution, DeskError]:
    """What `me` must know before deciding. `mediator`: whose case it is; `asked`: which side, when, and until when;
    `by_hand`: money left past the desk, and what that was is not settled."""
    found: dict[Caution, DeskError] = {}
    if mediator is not None and mediator[0] != me:
        found[Caution.ANOTHERS_CASE] = AnothersCase(mediator=mediator[1])
    if asked is not None:
        found[Caution.ANSWER_PENDING] = AnswerPending(party=asked[0].lower(), asked=asked[1], due=asked[2])
    if by_hand:
        found[Caution.REFUND_BY_HAND] = RefundByHand(why=by_hand)
    return found


def require_known(found: dict[Caution, DeskError], known: Collection[Caution]) -> None:
    """Raises the first that was not said."""
    for caution, error in found.items():
        if caution not in known:
            raise error


def require_read(unread: Iterable[int]) -> None:
    """Raises `NewsUnread` when any message came after the last that was read."""
    if count := len(list(unread)):
        raise NewsUnread(count=count)
