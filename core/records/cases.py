"""Cases, what the parties said and showed, and decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.approvals import DecisionStatus
from core.rules.cases import CaseStatus, DisputeReason
from core.rules.evidence import EvidenceKind
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.messages import Audience, AuthorKind

BLOCKING = "status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')"


class Case(Record):
    """A dispute about one milestone. At most one may be unresolved at a time. `corrects_id`: it is opened by staff, to
    look again at a decision that was carried out."""

    __tablename__ = "cases"
    __table_args__ = (
        one_of("reason", DisputeReason),
        one_of("status", CaseStatus),
        CheckConstraint("(status = 'WAITING_PARTY') = (waiting_on is not null)", name="waiting_on_someone"),
        CheckConstraint("corrects_id <> id", name="corrects_another"),
        CheckConstraint(
            "escalated or answer_due_at is null or decision_due_at is null or answer_due_at <= decision_due_at",
            name="answer_before_decision",
        ),
        Index("cases_one_open_idx", "milestone_id", unique=True, postgresql_where=BLOCKING),
        Index("cases_open_due_idx", "due_at", "id", postgresql_where=BLOCKING),
        Index("cases_mediator_open_idx", "mediator_id", "due_at", postgresql_where=BLOCKING),
        Index("cases_corrects_id_idx", "corrects_id", postgresql_where="corrects_id is not null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    opened_by: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    opened_by_staff: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    reason: Mapped[DisputeReason]
    details: Mapped[str] = mapped_column(default="")
    status: Mapped[CaseStatus] = mapped_column(default=CaseStatus.OPEN)
    escalated: Mapped[bool] = mapped_column(default=False)
    mediator_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    mediation_due_at: Mapped[datetime | None] = mapped_column(default=None)
    in_mediation_at: Mapped[datetime | None] = mapped_column(default=None)
    decision_due_at: Mapped[datetime | None] = mapped_column(default=None)
    waiting_on: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), default=None)
    answer_due_at: Mapped[datetime | None] = mapped_column(default=None)
    due_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None] = mapped_column(default=None)
    resolution: Mapped[str | None] = mapped_column(default=None)
    resolution_notes: Mapped[str | None] = mapped_column(default=None)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), default=None)


class CaseReveal(Record):
    """What a mediator thought of a case before its names were shown to them, and when they were shown."""

    __tablename__ = "case_reveals"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    draft: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Message(Record):
    """What a party or staff wrote about a milestone. `audience` PARTIES or STAFF."""

    __tablename__ = "messages"
    __table_args__ = (
        one_of("audience", Audience),
        one_of("author_kind", AuthorKind),
        Index("messages_milestone_at_idx", "milestone_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), default=None)
    author_kind: Mapped[AuthorKind]
    author_id: Mapped[int | None] = mapped_column(default=None)
    audience: Mapped[Audience] = mapped_column(default=Audience.PARTIES)
    body: Mapped[str]
    at: Mapped[datetime]


class Evidence(Record):
    """A file that a party submitted. The bytes lie in the evidence store under `sha256`; this row never changes."""

    __tablename__ = "evidence"
    __table_args__ = (
        UniqueConstraint("milestone_id", "sha256"),
        one_of("kind", EvidenceKind),
        CheckConstraint("size_bytes > 0", name="not_empty"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), default=None)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    kind: Mapped[EvidenceKind]
    file_name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    caption: Mapped[str] = mapped_column(default="")
    taken_at: Mapped[datetime | None] = mapped_column(default=None)
    at: Mapped[datetime]


class EvidenceView(Record):
    """Who of staff opened which piece of evidence, and when first."""

    __tablename__ = "evidence_views"

    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    first_at: Mapped[datetime]


class EvidenceNote(Record):
    """What staff noted about a piece of evidence, for staff. Added to, never changed.

    `area` is a part of the picture or of `page`: left, top, width, height in ten-thousandths.
    """

    __tablename__ = "evidence_notes"
    __table_args__ = (
        CheckConstraint("body <> ''", name="not_empty"),
        CheckConstraint("page is null or page > 0", name="page"),
        CheckConstraint(
            "area is null or (cardinality(area) = 4 and 0 <= all (area) and area[3] > 0 and area[4] > 0 "
            "and area[1] + area[3] <= 10000 and area[2] + area[4] <= 10000)",
            name="area",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    body: Mapped[str]
    at: Mapped[datetime]
    page: Mapped[int | None] = mapped_column(default=None)
    area: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger), default=None)


class Decision(Record):
    """A mediator's decision and the plan it stands for. The plan and its hash never change once written."""

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("ground", Ground),
        one_of("outcome", DecisionOutcome),
        one_of("status", DecisionStatus),
        CheckConstraint("checker_id is null or checker_id <> maker_id", name="maker_is_not_checker"),
        CheckConstraint(
            "status not in ('COOLING_OFF', 'EXECUTED') or not needs_approval or checker_id is not null",
            name="approved_before_execution",
        ),
        CheckConstraint("release_minor >= 0 and refund_minor >= 0", name="amounts"),
        CheckConstraint(
            "not ends_project or outcome = 'FULL_REFUND' and "
            "ground in ('SERVICE_NOT_STARTED', 'PROVIDER_NO_SHOW', 'AGREED_CANCELLATION')",
            name="ends_project",
        ),
        Index(
            "decisions_one_live_idx",
            "case_id",
            unique=True,
            postgresql_where="status in ('AWAITING_APPROVAL', 'COOLING_OFF', 'EXECUTED')",
        ),
        Index("decisions_to_execute_idx", "execute_at", postgresql_where="status = 'COOLING_OFF'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    intent: Mapped[str] = mapped_column(unique=True)
    outcome: Mapped[DecisionOutcome]
    ground: Mapped[Ground]
    ends_project: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    currency: Mapped[str]
    release_minor: Mapped[int]
    refund_minor: Mapped[int]
    reasons: Mapped[str]
    citations: Mapped[list[Any]]
    plan: Mapped[dict[str, Any]]
    plan_hash: Mapped[str]
    status: Mapped[DecisionStatus]
    needs_approval: Mapped[bool]
    approval_reasons: Mapped[list[Any]]
    maker_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]
    checker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)
    check_note: Mapped[str | None] = mapped_column(default=None)
    execute_at: Mapped[datetime | None] = mapped_column(default=None)
    executed_at: Mapped[datetime | None] = mapped_column(default=None)
