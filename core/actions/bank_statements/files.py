"""The files that statements came in: kept as they are, known again by their hash, and told in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.gateways.evidence_store import EvidenceStore
from core.records import BankAccount, BankStatement, BankStatementFile, CsvMapping
from core.rules import file_names, permissions
from core.rules.bank_statements import STRIPE, StatementFormat
from core.rules.permissions import Actor, Permission

OUR_OWN = 0
"""Whose key the bytes are kept under: no party's, the platform's own."""


class ImportedElsewhere(DeskError):
    """{file} was imported on {day} for {other}, so it is not imported for {code} too. Nothing was imported."""


def known(session: Session, sha256: str, *, code: str) -> BankStatementFile | None:
    """The same file, if it was imported before for the account `code`, or for `stripe`. Raises `ImportedElsewhere`."""
    file = session.scalars(select(BankStatementFile).where(BankStatementFile.sha256 == sha256)).one_or_none()
    if file is None:
        return None
    if (other := _imported_for(session, file)) != code:
        raise ImportedElsewhere(file=file.name, day=f"{file.imported_at:%-d %b %Y}", other=other, code=code)
    return file


def _imported_for(session: Session, file: BankStatementFile) -> str:
    """The code of its one account, or `stripe`."""
    if file.format is StatementFormat.STRIPE_REPORT:
        return STRIPE
    of_file = select(BankStatement.account_id).where(BankStatement.file_id == file.id)
    return session.scalars(select(BankAccount.code).where(BankAccount.id.in_(of_file))).one()


def store_file(
    session: Session,
    actor: Actor,
    name: str,
    form: StatementFormat,
    content: bytes,
    sha256: str,
    *,
    store: EvidenceStore | None,
    mapping: CsvMapping | None = None,
    now: datetime,
) -> BankStatementFile:
    """The bytes are kept before the row is written, so a row never points at nothing."""
    if store is not None:
        store.put(OUR_OWN, content)
    row = BankStatementFile(
        sha256=sha256,
        name=name,
        format=form,
        size_bytes=len(content),
        mapping_id=mapping.id if mapping else None,
        imported_by=actor.id if actor.kind == "staff" else None,
        imported_via=actor.via or None,
        imported_at=now,
    )
    session.add(row)
    session.flush()
    return row


def record(
    session: Session,
    actor: Actor,
    file: BankStatementFile,
    *,
    now: datetime,
    account: str,
    statements: Sequence[BankStatement],
    lines: int,
) -> None:
    """The file's name stays out of the entry: a bank may write anything into it."""
    audit.record(
        session,
        actor,
        AuditAction.STATEMENT_IMPORT.by("finance" if actor.kind == "staff" else actor.kind),
        object_kind="bank_statement_file",
        object_id=file.id,
        now=now,
        after={
            "account": account,
            "format": file.format,
            "sha256": file.sha256,
            "statements": [each.id for each in statements],
            "lines": lines,
        },
        contents=[file, *statements],
    )


def download(
    session: Session, actor: Actor, *, now: datetime, store: EvidenceStore, file_id: int
) -> tuple[str, bytes]:
    """A safe name, and the bytes of a file as it was imported. Raises `NotPermitted`, `NotFound`, `EvidenceAltered`."""
    permissions.require(actor, Permission.EXPORT_LEDGER)
    file = session.get(BankStatementFile, file_id)
    if file is None:
        raise NotFound(kind="file of bank statements", id=file_id)
    content = store.get(OUR_OWN, file.sha256)
    audit.record(
        session,
        actor,
        AuditAction.STATEMENT_DOWNLOAD.by("finance" if actor.kind == "staff" else actor.kind),
        object_kind="bank_statement_file",
        object_id=file.id,
        now=now,
        after={"sha256": file.sha256},
    )
    return file_names.clean(file.name), content
