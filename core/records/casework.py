"""Working a case: who has seen it, who is recused from it, what was handed over, asked and begun."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.requests import RequestKind, RequestStatus


class CaseVisit(Record):
    """When a member of staff last had the case open: what came later is unread for them."""

    __tablename__ = "case_visits"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    seen_at: Mapped[datetime]


class Recusal(Record):
    """Who was recused from a case, and why. It is never given to them again; a trigger keeps that too."""

    __tablename__ = "recusals"
    __table_args__ = (CheckConstraint("reason <> ''", name="says_why"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, index=True)
    reason: Mapped[str]
    at: Mapped[datetime]


class Handover(Record):
    """What the one who had a case wrote for the one who has it next; without `to_id` for whoever takes it."""

    __tablename__ = "handovers"
    __table_args__ = (CheckConstraint("note <> ''", name="says_something"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    note: Mapped[str]
    at: Mapped[datetime]


class PartyRequest(Record):
    """What a party was asked for, and until when. At most one is open in a case; its terms never change."""

    __tablename__ = "party_requests"
    __table_args__ = (
        one_of("kind", RequestKind),
        one_of("status", RequestStatus),
        CheckConstraint("(status = 'OPEN') = (ended_at is null)", name="ended"),
        CheckConstraint("due_at > asked_at", name="due_later"),
        Index("party_requests_one_open_idx", "case_id", unique=True, postgresql_where="status = 'OPEN'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    kind: Mapped[RequestKind]
    question: Mapped[str]
    asked_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    status: Mapped[RequestStatus] = mapped_column(default=RequestStatus.OPEN)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class UnsentText(Record):
    """Words that were begun and not sent, kept for their writer; empty once they are `sent`.

    `place`: `core.rules.text_fields`. `version` counts what was saved there; `writer` is the tab that saved last.
    """

    __tablename__ = "unsent_texts"
    __table_args__ = (
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("not sent or body = ''", name="sent_is_empty"),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    writer: Mapped[str] = mapped_column(default="")
    sent: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]


class TabKey(Record):
    """Under which key a person's browser keeps words that it could not save yet."""

    __tablename__ = "tab_keys"
    __table_args__ = (CheckConstraint("octet_length(key) = 32", name="long_enough"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    key: Mapped[bytes]
    made_at: Mapped[datetime]
