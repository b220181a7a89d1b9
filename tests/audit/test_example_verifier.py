"""The example verifier of the documentation, run as a stranger runs it, on real exports and proofs and altered ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import audit, audit_export
from core.audit.export_manifest import Format
from core.audit.filters import AuditFilter
from core.rules.permissions import Actor
from tests.audit.conftest import NOW, Log
from tests.audit.test_proofs import OFFICER, growth_since, newest, proof_of

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "verify_export.py"
Change = Callable[[dict[str, Any]], Any]


def verified(file: Path, key: str) -> tuple[int, str]:
    command = [sys.executable, "-I", str(EXAMPLE), str(file), "--key", key]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


def exported(log: Log, file: Path, format: Format) -> Path:
    with file.open("wb") as out:
        made = audit_export.export_audit(
            log.auditor, AuditFilter(), format, out, desk=log.database, actor=OFFICER, now=NOW, signer=log.signer,
            folder=log.folder,
        )  # fmt: skip
    beside = file.with_name(f"{file.name}.manifest.json")
    beside.write_bytes(made.manifest.json())
    return beside


@pytest.mark.parametrize("format", [Format.CSV, Format.JSONL])
def test_an_export_is_verified_and_each_alteration_is_named(log: Log, tmp_path: Path, format: Format) -> None:
    ids = log.write(2) + log.write(3, before={"text": 'two\nlines, "quoted" – ü'})
    log.seal()
    file, key = tmp_path / f"log.{format.value}", log.signer.public.fingerprint
    beside = exported(log, file, format)
    assert verified(file, key)[0] == 0
    assert verified(file, "0000:" * 7 + "0000")[0] == 1
    content, manifest = file.read_bytes(), beside.read_bytes()
    alterations = {
        content.replace(b"entry 1", b"entry 9", 1): f"Entry {ids[1]} was altered.",
        content.replace(b"two", b"six", 1): f"Entry {ids[2]} was altered.",
        content.replace(b"%d" % ids[0], b"%d" % (ids[0] + 7000), 1): f"Entry {ids[0]} is missing.",
        content[: content.rindex(b"\n", 0, -1) + 1]: f"Entry {ids[-1] + 1} is missing.",
        content + b"\n": "",
    }
    for altered, said in alterations.items():
        assert altered != content
        file.write_bytes(altered)
        code, words = verified(file, key)
        assert (code, said in words) == (1, True), (said, words)
    file.write_bytes(content)
    facts = json.loads(manifest)
    for name, value in facts.items():
        other = 7 if not isinstance(value, str) else value[:-1] + ("0" if value[-1:] != "0" else "1")
        beside.write_text(json.dumps(facts | {name: other}))
        assert verified(file, key)[0] == 1, name


@pytest.mark.parametrize(
    ("format", "said"),
    [
        (Format.BUNDLE, "It is a bundle: “python verify_bundle.py"),
        (Format.PARQUET, "It is Parquet: “escrow-desk audit"),
    ],
)
def test_a_file_for_another_verifier_is_sent_there(
    log: Log, tmp_path: Path, format: Format, said: str
) -> None:
    log.written(2)
    exported(log, tmp_path / "log", format)
    code, words = verified(tmp_path / "log", log.signer.public.fingerprint)
    assert code == 1
    assert words.startswith(said)


def test_what_is_missing_or_no_json_is_said_in_a_sentence(log: Log, tmp_path: Path) -> None:
    log.written(2)
    file, key = tmp_path / "log.csv", log.signer.public.fingerprint
    assert verified(file, key) == (1, f"There is no file {file}, or it cannot be read.\n")
    beside = exported(log, file, Format.CSV)
    beside.write_bytes(beside.read_bytes()[:-9])
    assert verified(file, key) == (1, f"The manifest {beside} is no JSON: it was altered or cut off.\n")
    beside.unlink()
    code, words = verified(file, key)
    assert (code, words) == (
        1,
        f"{file} is no proof, and {beside}, the manifest of an export, is not beside it or cannot be read.\n",
    )


def test_proofs_are_verified_and_each_alteration_is_found(log: Log, tmp_path: Path) -> None:
    ids = log.written(3)
    kept, first = newest(log), log.signer.public.fingerprint
    log.written(2)
    file = tmp_path / "proof.json"
    changes: dict[str, list[Change]] = {
        "entry": [
            lambda data: data["entry"].update(reason="other words"),
            lambda data: data["entry"].update(note="more than was signed"),
            lambda data: data.update(index=data["index"] + 1),
        ],
        "growth": [lambda data: data.update(first=data["second"], second=data["first"])],
        "both": [
            lambda data: data["path"].pop(),
            lambda data: data["path"].append("00" * 32),
            lambda data: data.update(ledger="another"),
            lambda data: data.update(keys=[]),
            lambda data: data.pop("path"),
        ],
    }
    for kind, content in (
        ("entry", proof_of(log, ids[1][1]).content),
        ("growth", growth_since(log, kept).content),
    ):
        file.write_bytes(content)
        assert verified(file, first)[0] == 0, verified(file, first)
        assert verified(file, "0000:" * 7 + "0000")[0] == 1
        for change in changes[kind] + changes["both"]:
            data = json.loads(content)
            change(data)
            file.write_text(json.dumps(data))
            code, words = verified(file, first)
            assert code == 1, words


def test_the_example_follows_a_key_that_was_handed_over(log: Log, tmp_path: Path) -> None:
    log.written(1)
    kept, first = newest(log), log.signer.public.fingerprint
    operator = Actor("operator", None, via="root")
    audit.rotate(log.owner, operator, log.home, now=NOW, reason="Once a year, as planned.")
    log.signer = audit.signer(log.home)
    log.written(1)
    file = tmp_path / "growth.json"
    file.write_bytes(growth_since(log, kept).content)
    assert verified(file, first)[0] == 0
    data = json.loads(file.read_bytes())
    data["keys"][1]["by_previous"] = None
    file.write_text(json.dumps(data))
    assert verified(file, first)[0] == 1
