"""Answering a chargeback: one person drafts, another submits (payment-escrow-rules, Compliance Checklist 3).

A draft is staged at Stripe, where the bank does not see it. Most banks accept one answer only, so it is submitted
deliberately and by a second person, before the deadline that Stripe reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from core.records import (
    Chargeback,
    ChargebackAcceptance,
    ChargebackEvidence,
    ChargebackFile,
    Evidence,
    OutgoingOperation,
)
from core.rules import chargebacks as rules
from core.rules import irreversible
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import Actor, Permission, require
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.references import reference, whole


class GivenUp(DeskError):
    """Two people have accepted this chargeback."""


def stage(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    chargeback_id: int,
    texts: Mapping[str, str],
    files: Mapping[str, int | str] | None = None,
) -> ChargebackEvidence:
    """Draft the answer to the bank, by the provider's names of texts and documents, and stage it there.

    `files` are pieces of this milestone's evidence, by number, or files of the chargeback's own, as `file:12`; they are
    sent as they are.
    Raises `NoAnswerAllowed`, `EvidenceEmpty`, `EvidenceTooLong`, `EvidenceUnknown`, `FileNotForBanks`, `FilesTooLarge`.
    """
    require(actor, Permission.ANSWER_CHARGEBACK)
    context, row = locked(session, chargeback_id)
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


def submit(
    session: Session, actor: Actor, *, now: datetime, evidence_id: int, typed: str
) -> ChargebackEvidence:
    """Send a draft to the bank, as it is, for good; `typed` is the chargeback's reference, typed by the sender.

    A newer draft takes its place, the bank's last moment ends it. Raises `NotFound`, `NotTyped`, what
    `proposals.require_checker` does, `ProposalEnded`, `ChangedMeanwhile`, `NoAnswerAllowed`.
    """
    require(actor, Permission.SETTLE_CHARGEBACK, now)
    plain = session.get(ChargebackEvidence, evidence_id)
    if plain is None:
        raise NotFound(kind="draft", id=evidence_id)
    context, row = locked(session, plain.chargeback_id)
    draft = session.get_one(ChargebackEvidence, evidence_id, with_for_update=True, populate_existing=True)
    if draft.submitted_by is not None:
        raise ended(ProposalKind.CHARGEBACK_ANSWER, "sent to the bank already")
    me = proposals.require_checker(session, actor, waiting(context, draft), now=now)
    if latest(session, row.id) != draft.id:
        raise ChangedMeanwhile(kind="answer", what="there is a newer draft")
    rules.check_answerable(row.status, row.due_by, now)
    refuse_given_up(session, row)
    irreversible.check_typed(typed, reference("chargeback", row.id))
    draft.submitted_by, draft.submitted_at = me, now
    session.flush()
    _forget_staging(session, draft, now=now)
    _send(session, actor, context, row, draft, submit=True, now=now)
    return draft


def waiting_of(session: Session, evidence_id: int) -> Waiting:
    """The draft as it waits, for pages."""
    draft = session.get_one(ChargebackEvidence, evidence_id)
    row = session.get_one(Chargeback, draft.chargeback_id)
    return waiting(open_milestone(session, row.milestone_id, lock=False), draft)


def waiting(context: MilestoneContext, draft: ChargebackEvidence) -> Waiting:
    """The draft as what waits for a second person."""
    return Waiting(ProposalKind.CHARGEBACK_ANSWER, draft.drafted_by, draft.drafted_at, Subject.of(context))


def latest(session: Session, chargeback_id: int) -> int | None:
    """The number of the newest answer to this chargeback, whatever became of it."""
    wanted = select(ChargebackEvidence.id).where(ChargebackEvidence.chargeback_id == chargeback_id)
    return session.scalars(wanted.order_by(ChargebackEvidence.id.desc()).limit(1)).one_or_none()


@dataclass(frozen=True)
class BankFile:
    """A file of an answer: whose key it lies under, and as what it is sent."""

    title: str
    owner: int
    sha256: str
    media_type: str
    size: int
    pages: int


def file_of(session: Session, row: Chargeback, code: int | str) -> BankFile:
    """A piece of the milestone's evidence by number, or a file of the chargeback's own as `file:12`.

    Raises `NotFound`.
    """
    own, _, number = str(code).rpartition(":")
    key = whole(number) or 0
    if own == "file":
        kept = session.get(ChargebackFile, key)
        if kept is None or kept.chargeback_id != row.id:
            raise NotFound(kind="file", id=code)
        return BankFile(kept.title, kept.owner_id, kept.sha256, kept.media_type, kept.size_bytes, kept.pages)
    piece = session.get(Evidence, key)
    if own or piece is None or piece.milestone_id != row.milestone_id:
        raise NotFound(kind="evidence", id=code)
    return BankFile(
        piece.file_name, piece.uploaded_by, piece.sha256, piece.media_type, piece.size_bytes, pages=1
    )


def _files(session: Session, row: Chargeback, files: Mapping[str, int | str]) -> dict[str, int | str]:
    found = {field: file_of(session, row, code) for field, code in files.items()}
    for field, each in found.items():
        rules.check_file(field, name=each.title, media_type=each.media_type, size=each.size)
    rules.check_together([each.size for each in found.values()], sum(each.pages for each in found.values()))
    return dict(files)


def refuse_given_up(session: Session, row: Chargeback) -> None:
    """Raises `GivenUp` where two people have accepted the chargeback."""
    given_up = select(ChargebackAcceptance.id).where(
        ChargebackAcceptance.chargeback_id == row.id, ChargebackAcceptance.status == ProposalStatus.ACCEPTED
    )
    if session.scalars(given_up).first() is not None:
        raise GivenUp()


def locked(session: Session, chargeback_id: int) -> tuple[MilestoneContext, Chargeback]:
    """The chargeback with its milestone, both locked, the milestone first. Raises `NotFound`."""
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
    pieces = {field: file_of(session, row, code) for field, code in draft.files.items()}
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
                field: {"owner": piece.owner, "sha256": piece.sha256, "kind": piece.media_type}
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
