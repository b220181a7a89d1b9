"""Evidence: submitted by the parties of a milestone and opened by staff; both are recorded.

The bytes are stored before the row is written, so that no row is without its file. New evidence invalidates plans
that were made without it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import conversation
from core.actions.decisions import recorded_decision
from core.actions.privacy import readings
from core.audit.actions import AuditAction, StoredAction
from core.errors import NotFound
from core.gateways import evidence_files as files
from core.gateways.evidence_store import EvidenceStore
from core.records import Case, Evidence, EvidenceView, Milestone, Project
from core.rules import file_names
from core.rules.evidence import CAPTION_LENGTH, EvidenceKind, Format, check_count, format_of
from core.rules.permissions import Actor, NotYours, Permission, require
from core.rules.readings import ReadingKind


@dataclass(frozen=True)
class Opened:
    """One piece of evidence in the form in which it may be viewed. The original leaves only by `download`."""

    id: int
    kind: EvidenceKind
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    picture: bytes | None = None
    holds_place: bool = False
    seconds: int | None = None
    pages: int = 0
    text: str | None = None


def submit(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    store: EvidenceStore,
    milestone_id: int,
    file_name: str,
    content: bytes,
    caption: str = "",
    case_id: int | None = None,
) -> Evidence:
    """The payer or the payee submits a file about their milestone; the same file again gives the row that is there.

    The files that an e-mail carries are checked like any other and become exhibits of their own beside it.
    A case that waits for this party goes on, also when the file that they were asked for was there before. A decision
    that was made without it and is not yet carried out returns to its mediator.
    Raises `EvidenceRefused` with what to do about it, `NotYours`, `NotFound`, `EvidenceErased`.
    """
    milestone = session.get(Milestone, milestone_id)
    if milestone is None:
        raise NotFound(kind="milestone", id=milestone_id)
    party_id = _party(actor, session.get_one(Project, milestone.project_id))
    inspected = files.inspect(file_name, content)
    session.refresh(milestone, with_for_update=True)
    _check_case(session, case_id, milestone_id)
    keep = partial(_keep, session, actor, milestone, store=store, party_id=party_id, case_id=case_id, now=now)
    evidence = keep(inspected, content, caption=caption)
    for each in inspected.carried:
        keep(each.inspected, each.content, caption=f"Attached to {inspected.file_name}")
    conversation.evidence_submitted(session, actor, now=now, milestone_id=milestone_id)
    recorded_decision.look_again(
        session, now=now, milestone_id=milestone_id, why=recorded_decision.NEW_EVIDENCE
    )
    return evidence


def _keep(
    session: Session,
    actor: Actor,
    milestone: Milestone,
    inspected: files.Inspected,
    content: bytes,
    *,
    store: EvidenceStore,
    party_id: int,
    case_id: int | None,
    caption: str,
    now: datetime,
) -> Evidence:
    """Store the bytes and write the row, or return the existing row for the same bytes."""
    there = select(Evidence).where(Evidence.milestone_id == milestone.id)
    if known := session.scalars(there.where(Evidence.sha256 == inspected.sha256)).one_or_none():
        return known
    check_count(session.scalar(select(func.count()).select_from(there.subquery())) or 0)
    evidence = Evidence(
        milestone_id=milestone.id,
        case_id=case_id,
        uploaded_by=party_id,
        kind=inspected.kind.value,
        file_name=inspected.file_name,
        media_type=inspected.media_type,
        size_bytes=inspected.size_bytes,
        sha256=store.put(party_id, content),
        caption=file_names.words(caption, longest=CAPTION_LENGTH),
        taken_at=inspected.taken_at,
        at=now,
    )
    session.add(evidence)
    milestone.version += 1
    session.flush()
    _record(
        session,
        actor,
        AuditAction.EVIDENCE_HAND_IN.by("party"),
        evidence,
        now,
        project_id=milestone.project_id,
    )
    return evidence


def open_evidence(
    session: Session, actor: Actor, *, now: datetime, store: EvidenceStore, evidence_id: int
) -> Opened:
    """Open one piece of evidence for a member of staff. That they opened it is recorded, and the access to personal
    data is audited.

    Raises `NotPermitted`, `NotFound`, `EvidenceMissing`, `EvidenceAltered`, `EvidenceErased`.
    """
    evidence = _readable(session, actor, evidence_id)
    opened = _shown(evidence, store)
    seen = insert(EvidenceView).values(evidence_id=evidence.id, staff_id=actor.id, first_at=now)
    session.execute(seen.on_conflict_do_nothing())
    readings.keep(session, actor, now=now, kind=ReadingKind.EVIDENCE, number=evidence.id)
    _record(session, actor, AuditAction.EVIDENCE_OPEN.by("mediator"), evidence, now)
    return opened


def page(session: Session, actor: Actor, *, store: EvidenceStore, evidence_id: int, number: int) -> bytes:
    """Page `number` (from 1) of a PDF as a PNG. Raises `NotFound`."""
    evidence = _readable(session, actor, evidence_id)
    if evidence.kind != EvidenceKind.PDF or not 1 <= number <= 9_999:
        raise NotFound(kind="page", id=number)
    return store.form(
        evidence.uploaded_by, evidence.sha256, f"page{number}", lambda original: files.page(original, number)
    )


def thumbnail(session: Session, actor: Actor, *, store: EvidenceStore, evidence_id: int) -> bytes | None:
    """A small WebP image of a picture, of a PDF's first page or of a video; None for other kinds. It does not count
    as opening the file."""
    evidence = _readable(session, actor, evidence_id)
    if evidence.kind not in files.DRAWN:
        return None
    form = format_of(evidence.file_name)
    made = store.form(
        evidence.uploaded_by, evidence.sha256, "thumbnail", lambda whole: files.thumbnail(whole, form) or b""
    )
    return made or None


def download(
    session: Session, actor: Actor, *, now: datetime, store: EvidenceStore, evidence_id: int
) -> bytes:
    """The original as it was submitted, checked against its hash; audited, because it leaves the desk."""
    evidence = _readable(session, actor, evidence_id)
    content = store.get(evidence.uploaded_by, evidence.sha256)
    readings.keep(session, actor, now=now, kind=ReadingKind.EVIDENCE, number=evidence.id)
    _record(session, actor, AuditAction.EVIDENCE_DOWNLOAD.by("mediator"), evidence, now)
    return content


def give_back(
    session: Session,
    actor: Actor,
    evidence: Evidence,
    *,
    now: datetime,
    store: EvidenceStore,
    by_key: str,
    shown: bool = False,
) -> bytes:
    """The original for the marketplace whose party submitted it; `shown`: the picture that the desk drew of it, of a
    picture or a video. Audited under the key that asked. Raises `NotFound` where there is no such picture."""
    if shown and evidence.kind not in (EvidenceKind.IMAGE, EvidenceKind.VIDEO):
        raise NotFound(kind="picture of evidence", id=evidence.id)
    owner, form = evidence.uploaded_by, format_of(evidence.file_name)
    content = (
        store.form(owner, evidence.sha256, "display", lambda whole: files.display(whole, form))
        if shown
        else store.get(owner, evidence.sha256)
    )
    _record(session, actor, AuditAction.EVIDENCE_DOWNLOAD.by(actor.kind), evidence, now, by_key=by_key)
    return content


def _party(actor: Actor, project: Project) -> int:
    if actor.kind != "party" or actor.id is None or actor.id not in (project.payer_id, project.payee_id):
        raise NotYours(actor=actor.label)
    return actor.id


def _check_case(session: Session, case_id: int | None, milestone_id: int) -> None:
    if case_id is None:
        return
    case = session.get(Case, case_id)
    if case is None or case.milestone_id != milestone_id:
        raise NotFound(kind="case", id=case_id)


def _readable(session: Session, actor: Actor, evidence_id: int) -> Evidence:
    require(actor, Permission.READ_CASES)
    evidence = session.get(Evidence, evidence_id)
    if evidence is None:
        raise NotFound(kind="evidence", id=evidence_id)
    return evidence


def _shown(evidence: Evidence, store: EvidenceStore) -> Opened:
    """The forms in which this kind of file is viewed. The original is read and its hash checked in any case."""
    owner, sha256, form = evidence.uploaded_by, evidence.sha256, format_of(evidence.file_name)
    original = store.get(owner, sha256)
    facts = Opened(
        id=evidence.id,
        kind=form.kind,
        file_name=evidence.file_name,
        media_type=evidence.media_type,
        size_bytes=evidence.size_bytes,
        sha256=sha256,
    )
    match form.kind:
        case EvidenceKind.IMAGE | EvidenceKind.VIDEO:
            return replace(facts, **_drawn(store, owner, sha256, form))
        case EvidenceKind.PDF:
            return replace(facts, pages=files.pages(original))
        case EvidenceKind.TEXT:
            return replace(facts, text=files.text(original, form))
    return facts


def _drawn(store: EvidenceStore, owner: int, sha256: str, form: Format) -> dict[str, Any]:
    """The picture that is shown, and the metadata of the original."""
    picture = store.form(owner, sha256, "display", lambda content: files.display(content, form))
    about = json.loads(store.form(owner, sha256, "about", lambda content: files.about(content, form)))
    return {"picture": picture, "holds_place": bool(about["place"]), "seconds": about.get("seconds")}


def _record(
    session: Session,
    actor: Actor,
    action: StoredAction,
    evidence: Evidence,
    now: datetime,
    project_id: int | None = None,
    by_key: str | None = None,
) -> None:
    """Audit entries hold ids and hashes only: a file name may name a person, and entries are never erased."""
    if project_id is None:
        project_id = session.get_one(Milestone, evidence.milestone_id).project_id
    audit.record(
        session,
        actor,
        action,
        object_kind="evidence",
        object_id=evidence.id,
        now=now,
        after={
            "kind": evidence.kind,
            "sha256": evidence.sha256,
            "size_bytes": evidence.size_bytes,
            "taken_at": evidence.taken_at,
            **({"by_key": by_key} if by_key else {}),
        },
        milestone_id=evidence.milestone_id,
        project_id=project_id,
        case_id=evidence.case_id,
        contents=[evidence] if action == AuditAction.EVIDENCE_HAND_IN.by("party") else [],
    )
