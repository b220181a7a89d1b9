"""E-mails, and how often a party wants them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.notifications import Frequency, LetterStatus


class Notification(Record):
    """A letter to a party or to a member of staff. `key` is unique, so no one is told the same thing twice.

    `mail` is the number of the mail in which it goes, alone or with others; a second try is the same mail. `about`
    names the object that gave cause for it, besides the milestone. It goes to `address` where that is not the party's
    of now. `framed`: it was sent with greeting and closing.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("status", LetterStatus),
        CheckConstraint("num_nonnulls(party_id, staff_id) = 1", name="one_reader"),
        CheckConstraint(
            "party_id is null or project_id is not null or about_kind = 'party'", name="party_has_project"
        ),
        CheckConstraint("address is null or party_id is not null", name="address_of_a_party"),
        CheckConstraint("(about_kind is null) = (about_id is null)", name="about_something"),
        CheckConstraint("status <> 'SENT' or mail is not null", name="sent_in_a_mail"),
        Index("notifications_due_idx", "next_try_at", postgresql_where="status = 'QUEUED'"),
        Index("notifications_about_idx", "about_kind", "about_id"),
        Index("notifications_mail_idx", "mail", postgresql_where="status = 'QUEUED'"),
        Index("notifications_failed_idx", "id", postgresql_where="status = 'FAILED'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    template: Mapped[str]
    party_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), index=True, default=None)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True, default=None)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), index=True, default=None)
    milestone_id: Mapped[int | None] = mapped_column(ForeignKey("milestones.id"), index=True, default=None)
    about_kind: Mapped[str | None] = mapped_column(default=None)
    about_id: Mapped[int | None] = mapped_column(default=None)
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    urgent: Mapped[bool] = mapped_column(default=True)
    mail: Mapped[str | None] = mapped_column(default=None)
    status: Mapped[LetterStatus] = mapped_column(default=LetterStatus.QUEUED)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    address: Mapped[str | None] = mapped_column(default=None)
    framed: Mapped[bool] = mapped_column(default=False, server_default="false")


class LetterPreference(Record):
    """How often a party wants e-mails that are not urgent, and which of them not at all. No row: the default."""

    __tablename__ = "letter_preferences"
    __table_args__ = (one_of("frequency", Frequency),)

    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True, autoincrement=False)
    frequency: Mapped[Frequency]
    muted: Mapped[list[str]]
    changed_at: Mapped[datetime]
