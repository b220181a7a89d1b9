"""What payees owe us: proposals to write it off, and the reminders that were sent."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record
from core.money import Money
from core.records.two_people import two_people
from core.rules.proposals import ProposalKind, ProposalStatus


class DebtWriteOff(Record):
    """A payee's debt that is given up: proposed by one person, carried out by another."""

    __tablename__ = "debt_write_offs"
    __table_args__ = (
        *two_people(ProposalKind.DEBT_WRITE_OFF),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index(
            "debt_write_offs_one_open_idx",
            "party_id",
            "currency",
            unique=True,
            postgresql_where="status = 'PROPOSED'",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    currency: Mapped[str]
    amount_minor: Mapped[int]
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class RepaymentPlan(Record):
    """A debt that its payee repays by instalments, until somebody ends the plan. `after_journal`: what settled the debt
    after it settles the instalments."""

    __tablename__ = "repayment_plans"
    __table_args__ = (
        CheckConstraint(
            "(ended_at is null) = (ended_by is null) and (ended_at is null) = (end_reason is null)",
            name="ended_whole",
        ),
        Index(
            "repayment_plans_one_idx",
            "party_id",
            "currency",
            unique=True,
            postgresql_where="ended_at is null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    currency: Mapped[str]
    after_journal: Mapped[int]
    reason: Mapped[str]
    agreed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    agreed_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    end_reason: Mapped[str | None] = mapped_column(default=None)


class RepaymentInstalment(Record):
    """One amount of a repayment plan and its day; `fell_due_at`: when that day had come. What of it is open is in the
    view `repayment_progress`."""

    __tablename__ = "repayment_instalments"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("fell_due_at >= due_on::timestamp at time zone 'UTC'", name="not_before"),
        Index("repayment_instalments_position_idx", "plan_id", "position", unique=True),
        Index("repayment_instalments_due_idx", "due_on", postgresql_where="fell_due_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("repayment_plans.id"))
    position: Mapped[int]
    due_on: Mapped[date]
    amount_minor: Mapped[int]
    fell_due_at: Mapped[datetime | None] = mapped_column(default=None)


class DebtReminder(Record):
    """An e-mail that asked a payee for what they owed then. Never changed."""

    __tablename__ = "debt_reminders"
    __table_args__ = (
        CheckConstraint("owed_minor > 0", name="owed"),
        Index("debt_reminders_party_idx", "party_id", "currency", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    currency: Mapped[str]
    owed_minor: Mapped[int]
    sent_at: Mapped[datetime]
