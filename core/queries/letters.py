"""The log of e-mails: what was written about an object, to whom, when, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, and_, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.letters import delivery_rules
from core.queries.bounded_list import Listed, total
from core.records import Decision, LetterPreference, Milestone, Notification, Party, SettlementProposal, Staff
from core.rules.notifications import Frequency, LetterStatus
from core.rules.references import reference

MOST = 200


@dataclass(frozen=True)
class LetterRow:
    """A letter. `reader` is a party or a colleague, `side` PAYER, PAYEE or STAFF; `mail` the number it went under."""

    id: int
    at: datetime
    kind: str
    reader: str
    side: str
    party_id: int | None
    project_id: int
    milestone: str | None
    subject: str
    status: str
    urgent: bool
    mail: str | None
    tries: int
    error: str | None
    next_try_at: datetime
    sent_at: datetime | None

    @property
    def number(self) -> str:
        return reference("letter", self.id)

    @property
    def together(self) -> bool:
        """Whether it is sent together with others in one e-mail, which has its own kind of number."""
        return bool(self.mail and self.mail.startswith("letters-"))

    @property
    def went(self) -> datetime | None:
        """When it was sent, or will be."""
        return self.next_try_at if self.status == LetterStatus.QUEUED else self.sent_at


def about(session: Session, kind: str, number: int, *, limit: int | None = MOST) -> Listed[LetterRow]:
    """The letters about a milestone, project, case, decision, payout, refund, chargeback, hold … newest first.

    Those of a case include those of its decisions and settlement proposals.
    """
    return _rows(session, _concerns(kind, number), limit=limit)


def undelivered(session: Session, *, now: datetime, limit: int | None = MOST) -> Listed[LetterRow]:
    """Letters that were given up, and those that should have gone an hour ago; newest first."""
    return _rows(session, or_(GIVEN_UP, _late(now)), limit=limit)


@dataclass(frozen=True)
class Undelivered:
    """How many were given up, and how many are late; `reason`: why one of the late ones does not go, if it is known."""

    failed: int
    late: int
    reason: str | None

    def __bool__(self) -> bool:
        return bool(self.failed or self.late)


def not_delivered(session: Session, *, now: datetime) -> Undelivered:
    """How many e-mails were given up, how many are late, and why the last of these did not leave."""
    row = session.execute(
        select(
            func.count().filter(GIVEN_UP),
            func.count().filter(_late(now)),
            func.max(Notification.error).filter(_late(now)),
        ).where(or_(GIVEN_UP, Notification.status == LetterStatus.QUEUED))  # each has an index of its own
    ).one()
    return Undelivered(*row)


GIVEN_UP = Notification.status == LetterStatus.FAILED
LATE = timedelta(hours=1)


def _late(now: datetime) -> ColumnElement[bool]:
    """Tried in vain, or due at once and not tried, for an hour: no mail server, or no worker."""
    return and_(
        Notification.status == LetterStatus.QUEUED,
        Notification.created_at < now - LATE,
        or_(Notification.error.is_not(None), Notification.next_try_at < now - LATE),
    )


@dataclass(frozen=True)
class LetterText:
    """A letter as it was written. `bare`: it was sent before greeting and closing were put around every e-mail."""

    row: LetterRow
    text: str
    html: str
    bare: bool


def letter(session: Session, number: int) -> LetterText:
    """Raises `NotFound`."""
    found = session.get(Notification, number)
    if found is None:
        raise NotFound(kind="letter", id=number)
    (row,) = _rows(session, Notification.id == number, limit=1)
    bare = found.status == LetterStatus.SENT and not found.framed
    return LetterText(row, found.text, found.html, bare)


def _concerns(kind: str, number: int) -> ColumnElement[bool]:
    match kind:
        case "project":
            return Notification.project_id == number
        case "milestone":
            return Notification.milestone_id == number
        case "ticket":
            decisions = select(Decision.id).where(Decision.case_id == number)
            proposals = select(SettlementProposal.id).where(SettlementProposal.case_id == number)
            return or_(
                _is("ticket", Notification.about_id == number),
                _is("decision", Notification.about_id.in_(decisions)),
                _is("offer", Notification.about_id.in_(proposals)),
            )
        case _:
            return _is(kind, Notification.about_id == number)


def _is(kind: str, which: ColumnElement[bool]) -> ColumnElement[bool]:
    return (Notification.about_kind == kind) & which


def _rows(session: Session, condition: ColumnElement[bool], *, limit: int | None) -> Listed[LetterRow]:
    letter = Notification
    rows = session.execute(
        select(
            letter.id,
            letter.created_at.label("at"),
            letter.template,
            func.coalesce(Party.name, Staff.name).label("reader"),
            func.coalesce(type_coerce(Party.role, String), "STAFF").label("side"),
            letter.party_id,
            letter.project_id,
            Milestone.title.label("milestone"),
            letter.subject,
            letter.status,
            letter.urgent,
            letter.mail,
            letter.tries,
            letter.error,
            letter.next_try_at,
            letter.sent_at,
        )
        .outerjoin(Party, Party.id == letter.party_id)
        .outerjoin(Staff, Staff.id == letter.staff_id)
        .outerjoin(Milestone, Milestone.id == letter.milestone_id)
        .where(condition)
        .order_by(letter.id.desc())
        .limit(limit)
    ).mappings()
    found = [
        LetterRow(
            kind=delivery_rules.of(row["template"]).words, **{k: v for k, v in row.items() if k != "template"}
        )
        for row in rows
    ]
    return Listed(found, total(session, select(letter.id).where(condition), shown=len(found), limit=limit))


def wants(session: Session, party_ids: Sequence[int]) -> Mapping[int, str]:
    """How often each of these parties wants letters that are not urgent, and what they muted, in words."""
    found = {
        each.party_id: each
        for each in session.scalars(select(LetterPreference).where(LetterPreference.party_id.in_(party_ids)))
    }
    return {party_id: _in_words(found.get(party_id)) for party_id in party_ids}


def _in_words(row: LetterPreference | None) -> str:
    if row is None:
        return Frequency.TOGETHER.label
    muted = ", ".join(delivery_rules.of(template).words.lower() for template in row.muted)
    return Frequency(row.frequency).label + (f"; muted: {muted}" if muted else "")
