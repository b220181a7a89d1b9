"""Answering a chargeback: one person drafts, another submits (payment-escrow-rules, Compliance Checklist 3).

A draft is staged at Stripe, where the bank does not see it. Most banks accept one answer only, so it is submitted
deliberately and by a second person, before the deadline that Stripe reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import operation_key
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.records import Chargeback, ChargebackAcceptance, ChargebackEvidence, Evidence, OutgoingOperation
from core.rules import chargebacks as rules
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import Actor, Permission, require
from core.rules.proposals import Kind, ProposalStatus, ended


class GivenUp(DeskError):
    """Two people have accepted this chargeback."""


def stage(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    chargeback_id: int,
    texts: Mapping[str, str],
    files: Mapping[str, int] | None = None,
) -> ChargebackEvidence:
    """Draft the answer to the bank, by the provider's names of texts and documents, and stage it there.

    `files` are pieces of this milestone's evidence; they are sent as they were submitted.
    Raises `NoAnswerAllowed`, `EvidenceEmpty`, `EvidenceTooLong`, `EvidenceUnknown`, `FileNotForBanks`.
    """
    require(actor, Permission.ANSWER_CHARGEBACK)
    context, row = _locked(session, chargeback_id)
    me = proposals.require_maker(session, actor, Subject.of(context))
    rules.check_answerable(row.status, row.due_by, now)
    refuse_given_up(session, row)
    chosen = _files(session, row, files or {})
    draft = ChargebackEvidence(
        chargeback_id=row.id,
        texts=rules.check_evidence(texts, files=len(chosen)),
        files=chosen,
        drafted_by=me,
        drafted_at=now,
    )
    session.add(draft)
    session.flush()
    _send(session, actor, context, row, draft, submit=False, now=now)
    return draft


def submit(session: Session, actor: Actor, *, now: datetime, evidence_id: int) -> ChargebackEvidence:
    """Send a draft to the bank, as it is, for good. A newer draft takes its place, the bank's last moment ends it.

    Raises what `proposals.require_checker` does, `ProposalEnded`, `ChangedMeanwhile`, `NoAnswerAllowed`.
    """
    require(actor, Permission.SETTLE_CHARGEBACK, now)
    plain = session.get(ChargebackEvidence, evidence_id)
    if plain is None:
        raise NotFound(kind="draft", id=evidence_id)
    context, row = _locked(session, plain.chargeback_id)
    draft = session.get_one(ChargebackEvidence, evidence_id, with_for_update=True, populate_existing=True)
    if draft.submitted_by is not None:
        raise ended(Kind.CHARGEBACK_ANSWER, "sent to the bank already")
    me = proposals.require_checker(session, actor, waiting(context, draft), now=now)
    if latest(session, row.id) != draft.id:
        raise ChangedMeanwhile(kind="answer", what="there is a newer draft")
    rules.check_answerable(row.status, row.due_by, now)
    refuse_given_up(session, row)
    draft.submitted_by, draft.submitted_at = me, now
    session.flush()
    _forget_staging(session, draft, now=now)
    _send(session, actor, context, row, draft, submit=True, now=now)
    return draft


def standing(session: Session, evidence_id: int) -> Waiting:
    """The draft as it waits, for pages."""
    draft = session.get_one(ChargebackEvidence, evidence_id)
    row = session.get_one(Chargeback, draft.chargeback_id)
    return waiting(open_milestone(session, row.milestone_id, lock=False), draft)


def waiting(context: MilestoneContext, draft: ChargebackEvidence) -> Waiting:
    return Waiting(Kind.CHARGEBACK_ANSWER, draft.drafted_by, draft.drafted_at, Subject.of(context))


def latest(session: Session, chargeback_id: int) -> int | None:
    wanted = select(ChargebackEvidence.id).where(ChargebackEvidence.chargeback_id == chargeback_id)
    return session.scalars(wanted.order_by(ChargebackEvidence.id.desc()).limit(1)).one_or_none()


def _files(session: Session, row: Chargeback, files: Mapping[str, int]) -> dict[str, int]:
    for field, evidence_id in files.items():
        piece = session.get(Evidence, evidence_id)
        if piece is None or piece.milestone_id != row.milestone_id:
            raise NotFound(kind="evidence", id=evidence_id)
        rules.check_file(field, name=piece.file_name, media_type=piece.media_type, size=piece.size_bytes)
    return dict(files)


def refuse_given_up(session: Session, row: Chargeback) -> None:
    """Raises `GivenUp` where two people have accepted the chargeback."""
    given_up = select(ChargebackAcceptance.id).where(
        ChargebackAcceptance.chargeback_id == row.id, ChargebackAcceptance.status == ProposalStatus.ACCEPTED
    )
    if session.scalars(given_up).first() is not None:
        raise GivenUp()


def _locked(session: Session, chargeback_id: int) -> tuple[MilestoneContext, Chargeback]:
    plain = session.get(Chargeback, chargeback_id)
    if plain is None:
        raise NotFound(kind="chargeback", id=chargeback_id)
    context = open_milestone(session, plain.milestone_id)
    return context, session.get_one(Chargeback, chargeback_id, with_for_update=True, populate_existing=True)


def _key(session: Session, draft: ChargebackEvidence, what: str) -> str:
    return operation_key(session, "chargeback", draft.chargeback_id, "evidence", draft.id, what)


def _forget_staging(session: Session, draft: ChargebackEvidence, *, now: datetime) -> None:
    """Cancel a staging that was not sent yet, so that it cannot arrive after the answer itself."""
    staged = session.scalars(
        select(OutgoingOperation)
        .where(OutgoingOperation.key == _key(session, draft, "stage"))
        .with_for_update()
    ).one()
    if staged.status == OperationStatus.QUEUED:
        operation_states.canceled(staged, reason="the answer itself is sent", now=now)


def _send(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Chargeback,
    draft: ChargebackEvidence,
    *,
    submit: bool,
    now: datetime,
) -> None:
    pieces = {field: session.get_one(Evidence, number) for field, number in draft.files.items()}
    operation = outbox.enqueue(
        session,
        key=_key(session, draft, "submit" if submit else "stage"),
        kind=OperationKind.EVIDENCE,
        milestone_id=row.milestone_id,
        party_id=None,
        amount=row.amount,
        payload={
            "dispute": row.stripe_dispute,
            "texts": draft.texts,
            "submit": submit,
            "files": {
                field: {"owner": piece.uploaded_by, "sha256": piece.sha256, "kind": piece.media_type}
                for field, piece in pieces.items()
            },
        },
        now=now,
    )
    context.note(
        session,
        actor,
        AuditAction.CHARGEBACK_SUBMIT.by("staff") if submit else AuditAction.CHARGEBACK_STAGE.by("staff"),
        now=now,
        about=("chargeback", row.id),
        after={
            "evidence": draft.id,
            "texts": sorted(draft.texts),
            "files": {field: piece.sha256 for field, piece in pieces.items()},
        },
        contents=[] if submit else [draft],
        operation_key=operation.key,
    )
