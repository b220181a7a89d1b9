"""An export is held against its signed manifest with nothing else at hand, and what is off is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import audit, audit_export
from core.audit.export_manifest import Format, Marks, signed
from core.audit.export_proof import ExportVerification, NoExport, NoManifest, verify
from core.audit.filters import AuditFilter
from core.rules.permissions import Actor, Role
from tests.audit.conftest import NOW, Log

OFFICER = Actor("staff", 4, frozenset({Role.COMPLIANCE}))
SENTENCES = ("two\nlines", 'with "quotes"', "a,b;c", "=1+1", "plain")


class Export:
    """A file and its manifest on the disk, and hands that alter them."""

    def __init__(self, log: Log, folder: Path, format: Format, **filter: Any) -> None:
        self.log, self.file = log, folder / f"audit.{format.value}"
        with self.file.open("wb") as out:
            made = audit_export.export_audit(
                log.auditor,
                AuditFilter(**filter),
                format,
                out,
                desk=log.database,
                actor=OFFICER,
                now=NOW,
                signer=log.signer,
                folder=log.folder,
            )
        self.manifest = folder / f"{self.file.name}.manifest.json"
        self.manifest.write_bytes(made.manifest.json())
        content, rows = self.file.read_bytes(), self.rows()
        self.head = content[: content.index(rows[0])] if rows else content

    @property
    def key(self) -> str:
        return self.log.signer.public.fingerprint

    def proof(self, key: str | None = None) -> ExportVerification:
        return verify(self.file, key=key or self.key)

    def rows(self) -> list[bytes]:
        """Without the header; every record ends with its own transaction, so records are told apart by their id."""
        content = self.file.read_bytes()
        marks = list(Marks.unpacked(json.loads(self.manifest.read_bytes())["lines"]))
        starts = [_start(content, id) for id, _ in marks]
        return [content[at:end] for at, end in zip(starts, [*starts, len(content)][1:], strict=True)]

    def put(self, rows: list[bytes]) -> None:
        self.file.write_bytes(self.head + b"".join(rows))


def _start(content: bytes, id: int) -> int:
    for begin in (b"%d," % id, b'{"id":%d,' % id):
        at = 0 if content.startswith(begin) else content.find(b"\n" + begin) + 1
        if at or content.startswith(begin):
            return at
    raise AssertionError(id)


@pytest.fixture(params=[Format.CSV, Format.JSONL], ids=str)
def export(log: Log, tmp_path: Path, request: pytest.FixtureRequest) -> Export:
    log.write(len(SENTENCES))
    with log.database.transaction() as session:
        for sentence in SENTENCES:
            audit.record(
                session,
                OFFICER,
                "a:b:c",
                object_kind="x",
                object_id=1,
                now=NOW,
                reason=sentence,
                milestone_id=5,
            )
    log.seal()
    return Export(log, tmp_path, request.param, milestone_id=5)


def ids(export: Export) -> list[int]:
    return [id for id, _ in Marks.unpacked(json.loads(export.manifest.read_bytes())["lines"])]


def test_an_untouched_export_is_proved_and_says_what_it_holds(export: Export) -> None:
    proof = export.proof()
    assert (proof.ok, proof.rows, proof.known, proof.not_sealed) == (True, 10, True, 0)
    said = proof.text()
    assert f"signed by key {export.key}, as it should be" in said
    assert '"milestone_id": 5' in said
    assert f"Seal {proof.seal} was the last that was signed then" in said
    assert "with --key" in verify(export.file).text(), "without a key nothing is as it should be"


def test_every_row_that_is_off_is_named(export: Export) -> None:
    rows, numbers = export.rows(), ids(export)
    cases = {
        f"Entry {numbers[3]} was altered.": [*rows[:3], rows[3].replace(b"entry 3", b"entry 4"), *rows[4:]],
        f"Entry {numbers[2]} is missing.": rows[:2] + rows[3:],
        f"Entry {numbers[-1]} is missing.": rows[:-1],
        "Entry 99999 was inserted: it is not among": [
            *rows,
            rows[0].replace(b"%d" % numbers[0], b"99999", 1),
        ],
        f"Entry {numbers[1]} was inserted: it stands in the file twice.": [*rows, rows[1]],
        f"another order: entry {numbers[0]} is not": [rows[1], rows[0], *rows[2:]],
    }
    for said, changed in cases.items():
        export.put(changed)
        proof = export.proof()
        assert not proof.ok
        assert any(said in each for each in proof.wrong), (said, proof.wrong)
        assert len(proof.wrong) == 1, proof.wrong
        export.put(rows)
        assert export.proof().ok


def test_a_header_a_tail_and_what_is_no_row_are_found(export: Export) -> None:
    content = export.file.read_bytes()
    for changed in (content + b"\n", b"x" + content, content.replace(b"\n", b"\r\n"), b"", content[:-9]):
        export.file.write_bytes(changed)
        assert not export.proof().ok
    export.file.write_bytes(content)
    assert export.proof().ok


def test_every_fact_of_the_manifest_is_signed(export: Export) -> None:
    data = json.loads(export.manifest.read_bytes())
    for name, value in data.items():
        if name == "manifest":
            continue
        other: Any = value + 1 if isinstance(value, int) else {"x": "y"} if isinstance(value, dict) else None
        if isinstance(value, str):
            other = ("0" if value[0] != "0" else "1") + value[1:]
        if name == "header_sha256" and value is None:
            other = "00"
        export.manifest.write_text(json.dumps(data | {name: other}))
        proof = export.proof()
        assert not proof.ok, name
        assert "The manifest was altered" in proof.wrong[0], name


def test_another_key_is_named_beside_the_one_that_was_asked_for(export: Export, tmp_path: Path) -> None:
    """Whoever alters both file and manifest can sign them again, but not with the desk's key."""
    thief = audit.signer(tmp_path / "thief")
    data = json.loads(export.manifest.read_bytes())
    facts = {name: data[name] for name in data if name not in ("manifest", "key", "signature")}
    forged = signed(facts | {"format": Format(facts["format"])}, thief)
    export.manifest.write_bytes(forged.json())
    (said,) = export.proof().wrong
    assert thief.public.fingerprint in said
    assert export.key in said
    assert verify(export.file, key=thief.public.fingerprint).ok


def test_a_checkpoint_of_another_seal_does_not_pass(export: Export) -> None:
    """Even where the desk itself signed it: the manifest must rest on the seal that it names."""
    first = export.log.file.read_bytes().splitlines(keepends=True)[0].decode()
    data = json.loads(export.manifest.read_bytes())
    facts = {name: data[name] for name in data if name not in ("manifest", "key", "signature")}
    forged = signed(
        facts | {"format": Format(facts["format"]), "checkpoint": first, "seal": 99}, export.log.signer
    )
    export.manifest.write_bytes(forged.json())
    assert "another seal" in export.proof().wrong[0]


def test_what_is_no_export_is_refused_in_a_sentence(export: Export, tmp_path: Path) -> None:
    for content in (b"", b"[]", b"{}", b'{"manifest": "escrow-desk/audit-export/2"}', b"[" * 100_000):
        export.manifest.write_bytes(content)
        with pytest.raises(NoManifest):
            export.proof()
    with pytest.raises(NoManifest):
        verify(tmp_path / "nothing.csv")
    with pytest.raises(NoExport):
        verify(tmp_path / "nothing.csv", manifest=Export(export.log, tmp_path, Format.CSV).manifest)


def test_an_empty_export_and_one_without_seals_are_proved_too(log: Log, tmp_path: Path) -> None:
    log.write()
    for format in (Format.CSV, Format.JSONL):
        assert Export(log, tmp_path, format, milestone_id=999).proof().ok
        proof = Export(log, tmp_path, format).proof()
        assert (proof.ok, proof.seal, proof.not_sealed) == (True, None, proof.rows)
        assert "Nothing was signed then" in proof.text()
