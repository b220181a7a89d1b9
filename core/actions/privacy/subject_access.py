"""One file for one person of all that is held about them, with their own files, and nothing private of anybody else."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from core import audit
from core.actions.privacy import readings
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.gateways.evidence_store import EvidenceStore
from core.queries import subject_access
from core.records import Party
from core.rules.parties import require_not_erased
from core.rules.permissions import Actor, Permission, require
from core.rules.readings import ReadingKind

LEFT_OUT = (
    "What is left out: names, addresses, files and unaddressed words of the other side; notes and reasons of staff "
    "about cases and risk, because they are about both sides; the reports of others; which colleague of ours read "
    "something (their role is said). Amounts are in minor units "
    "(cents). Times are in UTC. Hashes of your messages and files stand in the desk's log, and say nothing by "
    "themselves."
)


@dataclass(frozen=True)
class SubjectAccess:
    """The zip. `unread`: files of theirs that the store could not give back."""

    name: str
    content: bytes
    sha256: str
    unread: int


def take(
    session: Session, actor: Actor, *, now: datetime, store: EvidenceStore, party_id: int
) -> SubjectAccess:
    """Everything, as it is now; audited, because personal data leaves the desk. Raises `NotFound`, `PartyErased`,
    `StepUpRequired`."""
    require(actor, Permission.EXPORT_PERSONAL_DATA, now)
    party = session.get(Party, party_id)
    if party is None:
        raise NotFound(kind="party", id=party_id)
    require_not_erased(party.external_id, party.erased_at)
    readings.keep(session, actor, now=now, kind=ReadingKind.PARTY, number=party_id)
    found = subject_access.gathered(session, party_id)
    files = {f"{part}.json": _json(rows) for part, rows in found.items()}
    unread = 0
    for piece in found["evidence"]:
        try:
            files[f"files/{piece['id']}{_ending(piece['file_name'])}"] = store.get(party_id, piece["sha256"])
        except DeskError as problem:
            unread += 1
            files[f"files/{piece['id']}.missing.txt"] = problem.message.encode()
    files["README.txt"] = (
        f"Held about {party.external_id} on {now:%Y-%m-%d %H:%M} UTC.\n\n{LEFT_OUT}\n".encode()
    )
    content = _zipped(files, now)
    digest = hashlib.sha256(content).hexdigest()
    audit.record(
        session,
        actor,
        AuditAction.PERSON_ACCESS.by(actor.kind),
        object_kind="party",
        object_id=party_id,
        now=now,
        after={"sha256": digest, "files": len(files), "unread": unread},
    )
    return SubjectAccess(f"person-{party_id}.zip", content, digest, unread)


def _ending(file_name: str) -> str:
    """Ours alone: nothing that somebody called a file becomes a path."""
    ending = PurePosixPath(file_name).suffix.lower()
    return ending if ending[1:].isalnum() and len(ending) <= 6 else ".bin"


def _json(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(rows, default=_text, ensure_ascii=False, indent=1).encode()


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _zipped(files: dict[str, bytes], now: datetime) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, now.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            packed.writestr(entry, files[name])
    return out.getvalue()
