"""Holds on a milestone, and on a payee as a whole."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.records.two_people import two_people
from core.rules.holds import HoldKind
from core.rules.proposals import ProposalKind, ProposalStatus


class Hold(Record):
    """A manual stop on a release: on reports, disputes or risk (payment-escrow-rules, Release Rules).

    `stripe_object` moved the milestone's money past the desk; `news` is what became of it since.
    """

    __tablename__ = "holds"
    __table_args__ = (
        Index("holds_active_idx", "milestone_id", postgresql_where="released_at is null"),
        one_of("kind", HoldKind),
        CheckConstraint("kind <> 'COMPLAINT' or placed_by is null", name="complaint_is_a_partys"),
        CheckConstraint("released_by <> placed_by", name="lifted_by_another"),
        CheckConstraint("news is null or stripe_object is not null", name="news_of_an_object"),
        CheckConstraint("expected_end > placed_at", name="expected_after_placed"),
        Index(
            "holds_expected_end_idx",
            "expected_end",
            postgresql_where="released_at is null and reminded_at is null",
        ),
        Index(
            "holds_stripe_object_idx",
            "milestone_id",
            "stripe_object",
            unique=True,
            postgresql_where="stripe_object is not null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"))
    kind: Mapped[HoldKind]
    reason: Mapped[str]
    report_id: Mapped[int | None] = mapped_column(default=None)
    placed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    placed_at: Mapped[datetime]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    release_reason: Mapped[str | None] = mapped_column(default=None)
    stripe_object: Mapped[str | None] = mapped_column(default=None)
    news: Mapped[str | None] = mapped_column(default=None)
    expected_end: Mapped[datetime | None] = mapped_column(default=None)
    reminded_at: Mapped[datetime | None] = mapped_column(default=None)


class HoldLift(Record):
    """A hold of a milestone or of a payee that is let go: proposed by one person, carried out by another."""

    __tablename__ = "hold_lifts"
    __table_args__ = (
        *two_people(ProposalKind.HOLD_LIFT),
        CheckConstraint("(hold_id is null) <> (payee_hold_id is null)", name="of_one_hold"),
        Index(
            "hold_lifts_one_open_idx",
            text("coalesce(hold_id, payee_hold_id)"),
            unique=True,
            postgresql_where="status = 'PROPOSED'",
        ),
        Index("hold_lifts_hold_idx", text("coalesce(hold_id, payee_hold_id)")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("holds.id"))
    payee_hold_id: Mapped[int | None] = mapped_column(ForeignKey("payee_holds.id"))
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)

    @property
    def number(self) -> int:
        """That of the hold: those of milestones and of payees are one series."""
        number = self.hold_id or self.payee_hold_id
        assert number is not None
        return number


class PayeeHold(Record):
    """A manual stop on all of a payee's money, whatever milestone it is of. Numbered in one series with `Hold`."""

    __tablename__ = "payee_holds"
    __table_args__ = (
        CheckConstraint("kind in ('MANUAL', 'RISK')", name="kind"),
        CheckConstraint("released_by <> placed_by", name="lifted_by_another"),
        CheckConstraint(
            "(released_at is null) = (released_by is null) and (released_at is null) = (release_reason is null)",
            name="lifted_whole",
        ),
        CheckConstraint("expected_end > placed_at", name="expected_after_placed"),
        Index("payee_holds_active_idx", "party_id", postgresql_where="released_at is null"),
        Index(
            "payee_holds_expected_end_idx",
            "expected_end",
            postgresql_where="released_at is null and reminded_at is null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, server_default=text("nextval('holds_id_seq')"))
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    kind: Mapped[str]
    reason: Mapped[str]
    placed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    placed_at: Mapped[datetime]
    expected_end: Mapped[datetime | None] = mapped_column(default=None)
    reminded_at: Mapped[datetime | None] = mapped_column(default=None)
    released_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    release_reason: Mapped[str | None] = mapped_column(default=None)
