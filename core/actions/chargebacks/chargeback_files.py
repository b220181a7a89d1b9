"""Files for the bank: uploaded, drawn by the desk from the case, and several of them as one PDF with its exhibits.

The bytes are kept before the row is written, under the payer's key, and leave as they were looked at: what a draft
names is what is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import chargeback_papers, document_paper
from core.actions.chargebacks import chargeback_evidence
from core.actions.milestones import documents
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.audit.actions import AuditAction
from core.config import Settings
from core.errors import NotFound
from core.gateways import evidence_files as files
from core.gateways.evidence_files import Exhibit
from core.gateways.evidence_store import EvidenceStore
from core.queries import chargeback_case
from core.records import Chargeback, ChargebackEvidence, ChargebackFile, Receipt
from core.rules import chargebacks as rules
from core.rules import file_names
from core.rules.chargebacks import FileOrigin
from core.rules.documents import TITLES
from core.rules.permissions import Actor, Permission, require
from core.rules.references import reference, whole

PDF = "application/pdf"
TITLE_LENGTH = 120


def upload(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    store: EvidenceStore,
    chargeback_id: int,
    file_name: str,
    content: bytes,
    title: str = "",
) -> ChargebackFile:
    """A file of our own for the bank, checked like any evidence; the same file again is the one that is there.

    Raises `EvidenceRefused` with what to do about it, `FileNotForBanks`, `NoAnswerAllowed`.
    """
    require(actor, Permission.ANSWER_CHARGEBACK)
    inspected = files.inspect(file_name, content)
    context, row = chargeback_evidence.locked(session, chargeback_id)
    rules.check_answerable(row.status, row.due_by, now)
    rules.check_file(
        "uncategorized_file",
        name=inspected.file_name,
        media_type=inspected.media_type,
        size=inspected.size_bytes,
    )
    said = file_names.words(title, longest=TITLE_LENGTH) or inspected.file_name
    exhibit = Exhibit(said, inspected.media_type, content)
    return _keep(
        session,
        actor,
        context,
        row,
        exhibit,
        FileOrigin.UPLOAD,
        pages=inspected.pages or 1,
        store=store,
        now=now,
    )


def draft(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    store: EvidenceStore,
    settings: Settings,
    chargeback_id: int,
    texts: Mapping[str, str],
    exhibits: Mapping[str, Sequence[str]],
) -> ChargebackEvidence:
    """An answer with what is to be attached: by document, the codes of its sources in their order (`chargeback_case`).

    One file goes as it is, several go as one PDF. Raises what `chargeback_evidence.stage` does, and `FilesTooLarge`.
    """
    require(actor, Permission.ANSWER_CHARGEBACK)
    context, row = chargeback_evidence.locked(session, chargeback_id)
    rules.check_answerable(row.status, row.due_by, now)
    sent: dict[str, int | str] = {}
    sizes, pages = [], 0
    for field, codes in exhibits.items():
        if not codes:
            continue
        parts = [_source(session, context, row, code, store, settings) for code in codes]
        if len(parts) > 1:
            kept = _bundle(
                session, actor, context, row, field, [part for part, _ in parts], store=store, now=now
            )
            sent[field], size, long = f"file:{kept.id}", kept.size_bytes, kept.pages
        else:
            sent[field], size, long = _alone(
                session, actor, context, row, codes[0], *parts[0], store=store, now=now
            )
        sizes.append(size)
        pages += long
    rules.check_together(sizes, pages)
    return chargeback_evidence.stage(
        session, actor, now=now, chargeback_id=chargeback_id, texts=texts, files=sent
    )


def opened(
    session: Session, actor: Actor, *, now: datetime, store: EvidenceStore, chargeback_id: int, code: str
) -> Exhibit:
    """A file of an answer, `12` or `file:12`, as the bank gets it; who looked at it is noted. Raises `NotFound`."""
    require(actor, Permission.READ_CHARGEBACKS)
    row = session.get(Chargeback, chargeback_id)
    if row is None:
        raise NotFound(kind="chargeback", id=chargeback_id)
    context = open_milestone(session, row.milestone_id, lock=False)
    found = chargeback_evidence.file_of(session, row, code)
    content = store.get(found.owner, found.sha256)
    context.note(
        session,
        actor,
        AuditAction.CHARGEBACK_OPEN_FILE.by("staff"),
        now=now,
        about=("chargeback", row.id),
        after={"file": code, "sha256": found.sha256},
    )
    return Exhibit(found.title, found.media_type, content)


def _source(
    session: Session,
    context: MilestoneContext,
    row: Chargeback,
    code: str,
    store: EvidenceStore,
    settings: Settings,
) -> tuple[Exhibit, FileOrigin | None]:
    """What a code stands for; None as its origin where the file is kept already."""
    kind, _, number = code.partition(":")
    about = (
        f"Chargeback {reference('chargeback', row.id)}, milestone {reference('milestone', row.milestone_id)}"
    )
    match kind:
        case "evidence" | "file":
            found = chargeback_evidence.file_of(session, row, number if kind == "evidence" else code)
            return Exhibit(found.title, found.media_type, store.get(found.owner, found.sha256)), None
        case "receipt":
            return _receipt(session, row, number, settings), FileOrigin.RECEIPT
        case "log":
            entries = chargeback_case.log(session, context)
            title, said = "Extract of the log", f"{about}. Kept by the platform as it happened; times in UTC."
            return _drawn(title, said, entries), FileOrigin.LOG
        case "messages":
            entries = chargeback_case.messages(session, context)
            title, said = (
                "Messages between payer and payee",
                f"{about}. As written on the marketplace; times in UTC.",
            )
            return _drawn(title, said, entries), FileOrigin.MESSAGES
        case "emails":
            entries = chargeback_case.emails(session, context)
            title, said = "E-mails sent to the payer", f"{about}. As they were sent; times in UTC."
            return _drawn(title, said, entries), FileOrigin.EMAILS
    raise NotFound(kind="file", id=code)


def _drawn(title: str, said: str, entries: Sequence[chargeback_papers.PaperEntry]) -> Exhibit:
    return Exhibit(title, PDF, chargeback_papers.draw(title, said, entries))


def _receipt(session: Session, row: Chargeback, number: str, settings: Settings) -> Exhibit:
    found = session.get(Receipt, whole(number) or 0)
    if found is None or found.milestone_id != row.milestone_id:
        raise NotFound(kind="receipt", id=number)
    paper = documents.paper_of(session, found, settings)
    return Exhibit(f"{TITLES[found.kind]} {found.number}", PDF, document_paper.draw(paper))


def _alone(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Chargeback,
    code: str,
    part: Exhibit,
    origin: FileOrigin | None,
    *,
    store: EvidenceStore,
    now: datetime,
) -> tuple[int | str, int, int]:
    """What an answer names it by, its bytes and its pages."""
    pages = files.pages(part.content) if part.media_type == PDF else 1
    if origin is not None:
        kept = _keep(session, actor, context, row, part, origin, pages=pages, store=store, now=now)
        return f"file:{kept.id}", kept.size_bytes, pages
    named = code if code.startswith("file:") else int(code.partition(":")[2])
    return named, len(part.content), pages


def _bundle(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Chargeback,
    field: str,
    parts: Sequence[Exhibit],
    *,
    store: EvidenceStore,
    now: datetime,
) -> ChargebackFile:
    if field not in rules.DOCUMENTS:
        raise rules.EvidenceUnknown(field=field)
    title = f"{rules.DOCUMENTS[field]}: {len(parts)} exhibits"
    made = files.bundle(title, chargeback_case.title_of(row), parts)
    contents = [
        [part.title, first, count] for part, first, count in zip(parts, made.firsts, made.counts, strict=True)
    ]
    whole_of = Exhibit(title, PDF, made.content)
    return _keep(
        session, actor, context, row, whole_of, FileOrigin.BUNDLE, pages=made.pages, store=store, now=now,
        contents=contents,
    )  # fmt: skip


def _keep(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Chargeback,
    part: Exhibit,
    origin: FileOrigin,
    *,
    pages: int,
    store: EvidenceStore,
    now: datetime,
    contents: Sequence[object] = (),
) -> ChargebackFile:
    """A row and its bytes, or the row that is there for the same bytes."""
    owner = context.payer.id
    sha256 = store.put(owner, part.content)
    there = select(ChargebackFile).where(
        ChargebackFile.chargeback_id == row.id, ChargebackFile.sha256 == sha256
    )
    if known := session.scalars(there).one_or_none():
        return known
    kept = ChargebackFile(
        chargeback_id=row.id,
        origin=origin,
        title=part.title,
        media_type=part.media_type,
        size_bytes=len(part.content),
        pages=pages,
        sha256=sha256,
        owner_id=owner,
        contents=list(contents),
        added_by=actor.id,
        added_at=now,
    )
    session.add(kept)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.CHARGEBACK_ADD_FILE.by("staff"),
        now=now,
        about=("chargeback", row.id),
        after={"file": kept.id, "origin": origin.value, "sha256": sha256, "size_bytes": kept.size_bytes},
        contents=[kept],
    )
    return kept
