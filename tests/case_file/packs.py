"""Case files for tests, and what a forger does with them: doctor a part, list it again, sign with another key."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import case_file
from core.actions.cases import evidence, settlement_proposals
from core.audit import Signer
from core.case_file.signing import MANIFEST, SIGNATURE, sign
from core.case_file.summary_pdf import summary
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from tests import builders

Files = dict[str, bytes]
Forgery = Callable[[Files], None]
DESK, FORGER = (Signer(Ed25519PrivateKey.generate()) for _ in range(2))


def told_and_packed(town: builders.Town, folder: Path, **choice: Any) -> case_file.CaseFile:
    told = builders.in_mediation(town)
    store = EvidenceStore(folder)
    mail = {"file_name": "../../etc/mail.txt", "content": b"The worktop is missing."}
    piece = town.act(evidence.submit, town.payer, store=store, milestone_id=told.milestone, **mail)
    draft = builders.a_draft(told, evidence_ids=frozenset({piece.id}), **choice)
    builders.decided(town, told, draft)
    builders.carry_out(town)
    return export(town, store, told.case)


def agreed_and_packed(town: builders.Town, folder: Path) -> case_file.CaseFile:
    """Two offers; the second is accepted, and the money has moved."""
    told = builders.in_mediation(town)
    for release, by in ((30_000, town.payer), (55_500, town.payee)):
        offer = town.act(
            settlement_proposals.propose,
            by,
            case_id=told.case,
            release=Money(release, "USD"),
            note="Then so.",
        )
    town.act(settlement_proposals.accept, town.payer, proposal_id=offer.id)
    builders.carry_out(town)
    return export(town, EvidenceStore(folder), told.case)


def export(town: builders.Town, store: EvidenceStore, case: int, *, by: str = "cora") -> case_file.CaseFile:
    return town.act(case_file.export, town.as_staff(by), store=store, signer=DESK, case_id=case)


def unpacked(content: bytes, folder: Path) -> Files:
    path = folder / "case.zip"
    path.write_bytes(content)
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def zipped(files: Files, folder: Path) -> Path:
    path = folder / "again.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def listed_again(files: Files) -> Files:
    """With a manifest that fits."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in files.items()
        if name not in (MANIFEST, SIGNATURE)
    }
    return {**files, MANIFEST: json.dumps(manifest).encode()}


def signed_again(files: Files) -> Files:
    """As a careful forger would: with a manifest that fits, and a signature of their own."""
    listed = listed_again(files)
    return {**listed, SIGNATURE: sign(listed[MANIFEST], FORGER)}


def printed_again(files: Files) -> Files:
    """With the summary that these files print."""
    others = {name: each for name, each in files.items() if name not in (MANIFEST, SIGNATURE, "summary.pdf")}
    return {**files, "summary.pdf": summary(others)}


def edited(name: str, change: Callable[[Any], Any]) -> Forgery:
    def edit(files: Files) -> None:
        data = json.loads(files[name])
        change(data)
        files[name] = json.dumps(data, ensure_ascii=False).encode()

    return edit


def rewritten(name: str, change: Callable[[list[Any]], Any]) -> Forgery:
    """The same, where every line is an entry of its own."""

    def edit(files: Files) -> None:
        rows = [json.loads(line) for line in files[name].decode().splitlines()]
        change(rows)
        files[name] = "".join(f"{json.dumps(row)}\n" for row in rows).encode()

    return edit
