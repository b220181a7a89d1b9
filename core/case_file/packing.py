"""Packing a case file: what the case holds, a manifest of it, and the desk's signature over the manifest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit
from core.actions.privacy import readings
from core.audit import content_comparison
from core.audit.actions import AuditAction
from core.audit.pinned_keys import ledger_name
from core.case_file import verification
from core.case_file.contents import as_json, gather
from core.case_file.signing import FORMAT, MANIFEST, SIGNATURE, sign
from core.case_file.summary_pdf import PRINTER, summary
from core.clock import utc
from core.db import one_moment
from core.errors import DeskError
from core.gateways.evidence_store import EvidenceStore
from core.records import Case, Installation
from core.rules.permissions import Actor, Permission, require
from core.rules.readings import ReadingKind

SEAL = text("select n, root, hash, sealed_at from seals order by n desc limit 1")
# The zip's own times would make the same case another file each time.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class CaseFile:
    name: str
    content: bytes
    sha256: str
    files: int


class NotAsRecorded(DeskError):
    """This case cannot be exported: {what}. Somebody changed it past the desk; compliance must look first."""


def export(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    store: EvidenceStore,
    signer: audit.Signer,
    case_id: int,
) -> CaseFile:
    """The case as it is now, as one signed zip; audited, because personal data leaves the desk."""
    require(actor, Permission.EXPORT_CASE)
    files, milestone_id = as_recorded(session, store, case_id)
    files["summary.pdf"] = summary(files)
    files[MANIFEST] = _manifest(files, case_id, origin=_origin(session), now=now)
    files[SIGNATURE] = sign(files[MANIFEST], signer)
    content = _zipped(files)
    readings.keep(session, actor, now=now, kind=ReadingKind.CASE, number=case_id)
    digest = hashlib.sha256(content).hexdigest()
    audit.record(
        session,
        actor,
        AuditAction.CASE_EXPORT.by(actor.kind),
        object_kind="ticket",
        object_id=case_id,
        now=now,
        after={"sha256": digest, "files": len(files), "key": signer.public.fingerprint},
        case_id=case_id,
        milestone_id=milestone_id,
    )
    return CaseFile(f"case-D-{case_id}.zip", content, digest, len(files))


def as_recorded(session: Session, store: EvidenceStore, case_id: int) -> tuple[dict[str, bytes], int]:
    """What the case holds at one moment, and its milestone. Raises `NotAsRecorded`."""
    with one_moment(session) as moment:
        files = gather(moment, store, case_id)
        milestone_id = moment.get_one(Case, case_id).milestone_id
        for other in content_comparison.others_of_milestone(moment, milestone_id):
            raise NotAsRecorded(what=other.text)
    return files, milestone_id


def fault_of(session: Session, store: EvidenceStore, case_id: int) -> str | None:
    """What keeps this case from being exported and verified; None when nothing does. Writes nothing."""
    try:
        files, _ = as_recorded(session, store, case_id)
    except verification.UNREADABLE as fault:
        return f"{type(fault).__name__} while gathering: {fault}"
    return verification.fault_of({**files, MANIFEST: as_json({"case": case_id})})


def _origin(session: Session) -> dict[str, Any]:
    """Which desk it comes from, and how far its record was sealed then."""
    seal = session.execute(SEAL).one_or_none()
    sealed = seal and {
        "n": seal.n,
        "root": seal.root.hex(),
        "hash": seal.hash.hex(),
        "sealed_at": utc(seal.sealed_at).isoformat(),
    }
    name = session.query(Installation.name).scalar()
    return {"desk": name, "ledger": ledger_name(session), "sealed": sealed}


def _manifest(files: dict[str, bytes], case_id: int, *, origin: dict[str, Any], now: datetime) -> bytes:
    listed = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(files.items())
    }
    data = {
        "format": FORMAT,
        **origin,
        "packed_at": utc(now).isoformat(),
        "case": case_id,
        "decided": "plan.json" in files,
        "agreed": "agreement.json" in files,
        "printed_by": PRINTER,
        "files": listed,
    }
    return json.dumps(data, indent=1).encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, files[name])
    return out.getvalue()
