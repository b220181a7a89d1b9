"""Delivering letters: claimed and committed first, then handed to the mail server, then recorded.

What is urgent goes alone; the rest of what waits for one reader goes in one mail (milestone-payment-flow, Performance
Considerations 3), and all mails of a round over one connection. If a worker died between the server's yes and our
record, the mail is sent a second time, the same to the byte and with the same Message-ID. A mail server that is down
costs a letter none of its tries. A mail that cannot be put together costs its own letters a try, and no others.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db import one_at_a_time
from core.gateways.mail import (
    MailDeferred,
    MailMisconfigured,
    MailRefused,
    MailUnavailable,
    Postbox,
    compose,
)
from core.letters import Letter, together
from core.letters.frame import framed
from core.policy import DIGEST_LONGEST, DIGEST_MOST
from core.processes import leases
from core.queries import letter_frames
from core.queries.letter_frames import About, Written
from core.records import Installation, Notification
from core.rules import retries
from core.rules.notifications import LetterStatus

if TYPE_CHECKING:
    from core.desk import Desk

log = structlog.get_logger(__name__)

SERVER_AWAY = timedelta(minutes=1)
ONE_AT_A_TIME = "escrow-desk letters"


@dataclass(frozen=True)
class Envelope:
    """A claimed mail with one letter or several, where it goes, and what is written around it."""

    templates: tuple[str, ...]
    number: str
    name: str
    address: str
    letter: Letter
    about: About
    created_at: datetime


def deliver_due(desk: Desk, *, limit: int = 50) -> int:
    """Send what is due, beginning with the `limit` oldest letters; returns how many mails were handed over."""
    waiting = desk.database.run(lambda session: _claim(session, now=desk.clock(), limit=limit))
    if not waiting:
        return 0
    sent = 0
    try:
        with desk.mail.opened() as postbox:
            while waiting:
                sent += _handed_over(desk, postbox, waiting.pop(0))
    except (MailUnavailable, MailMisconfigured) as problem:
        log.warning("mail.unavailable", reason=problem.message, waiting=len(waiting))
        _put_back(desk, (letter.id for mail in waiting for letter, *_ in mail), problem.message)
    return sent


def _handed_over(desk: Desk, postbox: Postbox, letters: Sequence[Written]) -> int:
    """1 if it was sent. Raises `MailUnavailable` or `MailMisconfigured`, which is no one letter's fault."""
    try:
        return _deliver(desk, postbox, letters)
    except (MailUnavailable, MailMisconfigured):
        raise
    except Exception as problem:
        leases.passed_over(problem, letters[0][0].mail or "")
        return 0


def _claim(session: Session, *, now: datetime, limit: int) -> list[Sequence[Written]]:
    """The mails that are due, each with its number written on every letter in it before it is first tried.

    One worker at a time puts letters together, so that what one reader gets together is not torn apart.
    """
    one_at_a_time(session, ONE_AT_A_TIME)
    due = leases.claim_due(session, Notification, now=now, limit=limit)
    if not due:
        return []
    desk_name = session.scalar(select(Installation.name)) or "desk"
    mails = [*_tried(session, due), *_new(session, due)]
    for letters in mails:
        name = "notification" if len(letters) == 1 else "letters"
        for each in letters:
            each.mail = each.mail or f"{name}-{letters[0].id}.{desk_name}"
            leases.lease(each, now=now)
    session.flush()
    return _written(session, [letters[0].mail for letters in mails])


def _tried(session: Session, due: Sequence[Notification]) -> list[list[Notification]]:
    """Mails that were put together before: the same letters again, for a second try is the same mail."""
    numbers = {each.mail for each in due if each.mail is not None}
    rows = session.scalars(
        select(Notification)
        .where(Notification.mail.in_(numbers), Notification.status == LetterStatus.QUEUED)
        .order_by(Notification.id)
        .with_for_update()
    ).all()
    return [[each for each in rows if each.mail == number] for number in numbers]


def _new(session: Session, due: Sequence[Notification]) -> list[list[Notification]]:
    """What is urgent alone; the rest with everything else of its reader that waits, due or not."""
    fresh = [each for each in due if each.mail is None]
    readers = {each.party_id for each in fresh if not each.urgent}
    waiting = session.scalars(
        select(Notification)
        .where(
            Notification.party_id.in_(readers),
            Notification.status == LetterStatus.QUEUED,
            Notification.mail.is_(None),
            Notification.urgent.is_(False),
        )
        .order_by(Notification.id)
        .with_for_update()
    ).all()
    mails = [[each] for each in fresh if each.urgent]
    for reader in sorted(readers, key=str):
        mails += _packed([each for each in waiting if each.party_id == reader])
    return mails


def _packed(letters: Sequence[Notification]) -> list[list[Notification]]:
    """In order, as many in a mail as are still read."""
    mails: list[list[Notification]] = []
    length = 0
    for each in letters:
        length += len(each.html)
        if not mails or len(mails[-1]) >= DIGEST_MOST or length > DIGEST_LONGEST:
            mails.append([])
            length = len(each.html)
        mails[-1].append(each)
    return mails


def _written(session: Session, numbers: Sequence[str | None]) -> list[Sequence[Written]]:
    """The letters of the mails with these numbers as they stand, in this order."""
    which = Notification.mail.in_(numbers) & (Notification.status == LetterStatus.QUEUED)
    rows = letter_frames.written(session, which)
    mails = [[row for row in rows if row[0].mail == number] for number in numbers]
    return [mail for mail in mails if mail]


def _envelope(rows: Sequence[Written]) -> Envelope:
    first, name, address, *_ = rows[0]
    letters = [Letter(each.subject, each.text, each.html) for each, *_ in rows]
    return Envelope(
        templates=tuple(each.template for each, *_ in rows),
        number=first.mail or "",
        name=name,
        address=address,
        letter=letters[0] if len(letters) == 1 else together(letters, [row[3] for row in rows]),
        about=letter_frames.about(rows),
        created_at=max(each.created_at for each, *_ in rows),
    )


def _deliver(desk: Desk, postbox: Postbox, letters: Sequence[Written]) -> int:
    """Hand one mail over and record what became of it: 1 if it was sent. Raises `MailUnavailable`."""
    record = partial(_record, desk, letters)
    try:
        postbox.send(_message(desk, _envelope(letters)))
    except MailRefused as refusal:
        record(error=refusal.message, for_ever=True)
    except MailDeferred as refusal:
        record(error=refusal.message)
    except MailUnavailable as problem:
        # The letter in hand may be what the server stumbles over, so it pays with a try.
        record(error=problem.message)
        raise
    except MailMisconfigured:
        raise
    except Exception as problem:
        record(error=leases.why(problem))
    else:
        record()
        return 1
    return 0


def _message(desk: Desk, envelope: Envelope) -> EmailMessage:
    frame = letter_frames.around(
        desk.settings, name=envelope.name, about=envelope.about, templates=envelope.templates
    )
    text, html = framed(envelope.letter.text, envelope.letter.html, frame)
    return compose(
        number=envelope.number,
        sender=desk.settings.mail_from,
        name=envelope.name,
        address=envelope.address,
        subject=envelope.letter.subject,
        text=text,
        html=html,
        at=envelope.created_at,
    )


def _record(
    desk: Desk, letters: Sequence[Written], *, error: str | None = None, for_ever: bool = False
) -> None:
    now, ids = desk.clock(), [letter.id for letter, *_ in letters]
    status = desk.database.run(
        lambda session: _outcome(session, ids, error=error, for_ever=for_ever, now=now)
    )
    log.info(
        "letter." + status.lower(),
        mail=letters[0][0].mail,
        notifications=ids,
        templates=sorted({letter.template for letter, *_ in letters}),
        **_because(error),
    )


def _because(error: str | None) -> dict[str, str]:
    return {} if error is None else {"reason": error}


def _outcome(
    session: Session, ids: Sequence[int], *, error: str | None, for_ever: bool, now: datetime
) -> str:
    """Every letter of a mail has its fate."""
    letters = _locked(session, ids)
    tries = max(each.tries for each in letters) + 1
    over = for_ever or retries.exhausted(tries)
    again = None if over else now + retries.delay(tries, random.randrange)
    for each in letters:
        each.tries, each.error = tries, error
        if error is None:
            audit.become(each, LetterStatus.SENT, now=now)
            each.sent_at, each.framed = now, True
        else:
            leases.put_off(each, until=again, now=now)
    return letters[0].status


def _locked(session: Session, ids: Iterable[int]) -> Sequence[Notification]:
    wanted = select(Notification).where(Notification.id.in_(list(ids))).order_by(Notification.id)
    return session.scalars(wanted.with_for_update()).all()


def _put_back(desk: Desk, given: Iterable[int], reason: str) -> None:
    """Letters that were claimed and never tried: soon due again, with all their tries."""

    ids = list(given)

    def put_back(session: Session) -> None:
        for each in _locked(session, ids):
            each.next_try_at, each.error = desk.clock() + SERVER_AWAY, reason

    desk.database.run(put_back)
