"""A bundle proves by itself that each of its entries stands in the signed log, and whatever is altered in it is found:
by the desk's own command, and by the example of the documentation, run as a stranger runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from core import audit, audit_export
from core.audit import bundle_proof, export_proof, many_leaves, timestamps
from core.audit.entries_proof import NoBundle, NothingSigned
from core.audit.export_manifest import ENTRIES, KEY, MANIFEST, PROOF, TIMESTAMP, Format
from core.audit.export_proof import BundleDamaged, NoManifest
from core.audit.filters import AuditFilter
from core.audit.merkle import Edge, leaf_hash
from core.audit.outside import publish
from core.audit.outside_places import Timestamps
from core.audit.timestamps import Authority
from core.audit.tree_heads import Note
from core.audit_export import Exported
from core.config import Settings
from core.rules.permissions import Actor
from tests.audit.conftest import NOW, Log
from tests.audit.test_proofs import OFFICER
from tests.timestamp_authority import timestamp_authority

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "verify_bundle.py"
STRANGER = "0000:" * 7 + "0000"


def exported(log: Log, file: Path, format: Format = Format.BUNDLE, **filter: Any) -> Exported:
    with file.open("wb") as out:
        return audit_export.export_audit(
            log.auditor, AuditFilter(**filter), format, out, desk=log.database, actor=OFFICER, now=NOW,
            signer=log.signer, folder=log.folder,
        )  # fmt: skip


def by_the_example(file: Path, key: str) -> tuple[int, str]:
    command = [sys.executable, "-I", str(EXAMPLE), str(file), "--key", key]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


@pytest.fixture
def file(log: Log, tmp_path: Path) -> Path:
    log.write(2)
    log.seal()
    log.write(3, before={"text": 'two\nlines, "quoted" – ü \x7f'}, milestone_id=6)
    log.write(1)
    log.seal()
    log.write(1)  # not sealed when it is exported
    exported(log, tmp_path / "log.zip")
    return tmp_path / "log.zip"


def test_each_sealed_entry_is_proved_and_the_others_are_counted(log: Log, file: Path) -> None:
    proof = bundle_proof.verify(file, key=log.signer.public.fingerprint)
    assert (proof.wrong, proof.known) == ((), True)
    assert proof.not_sealed == 2, "the one that was written last, and that the export began"
    assert proof.proved == proof.rows - 2 >= 6
    assert f"as they are here: {proof.proved} of the {proof.rows}." in proof.text()
    assert by_the_example(file, log.signer.public.fingerprint)[0] == 0


def test_a_key_that_is_not_the_desks_proves_nothing(log: Log, file: Path) -> None:
    assert not bundle_proof.verify(file, key=STRANGER).ok
    assert by_the_example(file, STRANGER)[0] == 1
    unknown = bundle_proof.verify(file)
    assert (unknown.ok, unknown.known) == (True, False)
    assert "with --key" in unknown.text()


def test_a_filtered_bundle_proves_its_own_entries(log: Log, file: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.zip"
    assert exported(log, few, milestone_id=6).manifest.rows == 3
    proof = bundle_proof.verify(few, key=log.signer.public.fingerprint)
    assert (proof.wrong, proof.proved) == ((), 3)
    none = tmp_path / "none.zip"
    assert exported(log, none, milestone_id=999).manifest.rows == 0
    assert bundle_proof.verify(none, key=log.signer.public.fingerprint).known
    assert by_the_example(none, log.signer.public.fingerprint)[0] == 0


def altered(file: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    found = file.with_name("altered.zip")
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(found, "w") as after:
        for each in before.namelist():
            content = before.read(each)
            after.writestr(each, change(content) if each == name else content)
    return found


def told(**facts: Any) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps(json.loads(content) | facts).encode()


def places_moved(content: bytes) -> bytes:
    data = json.loads(content)
    data["places"][0], data["places"][1] = data["places"][1], data["places"][0]
    return json.dumps(data).encode()


CHANGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a word": (ENTRIES, lambda content: content.replace(b"entry 1", b"entry 9", 1)),
    "a row goes": (ENTRIES, lambda content: content.split(b"\n", 1)[1]),
    "a row comes": (ENTRIES, lambda content: content + content.split(b"\n", 1)[0] + b"\n"),
    "a row of nonsense": (ENTRIES, lambda content: content + b"{}\n"),
    "rows change places": (ENTRIES, lambda content: b"\n".join([*content.split(b"\n")[-2::-1], b""])),
    "places": (PROOF, places_moved),
    "the path": (PROOF, lambda content: content.replace(b'"path": ["', b'"path": ["00', 1)),
    "no path": (PROOF, told(path=[])),
    "nothing is sealed": (PROOF, told(places=[])),
    "no keys": (PROOF, told(keys=[])),
    "no JSON": (PROOF, lambda content: content[:-9]),
    "the ledger": (PROOF, told(ledger="another")),
    "the filter": (MANIFEST, told(filter={"milestone_id": 5})),
    "the count": (MANIFEST, told(rows=1)),
    "the key": (KEY, lambda content: content + b"\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_is_altered_is_found(log: Log, file: Path, name: str) -> None:
    found = altered(file, *CHANGES[name])
    key = log.signer.public.fingerprint
    proof = bundle_proof.verify(found, key=key)
    assert proof.wrong, name
    assert not proof.known
    assert by_the_example(found, key)[0] == 1, name


def test_the_row_that_was_altered_is_named(log: Log, file: Path) -> None:
    said = bundle_proof.verify(altered(file, *CHANGES["a word"]), key=log.signer.public.fingerprint).text()
    ids = [json.loads(line)["id"] for line in zipfile.ZipFile(file).read(ENTRIES).splitlines()]
    assert any(f"Entry {id} was altered." in said for id in ids)
    assert "not in the tree that was signed" in said


def test_a_bundle_that_was_made_anew_with_another_key_is_not_the_desks(
    log: Log, file: Path, tmp_path: Path
) -> None:
    """A forger signs manifest and checkpoint again; what he cannot make is the signature of the key that is known."""
    forger = audit.signer(tmp_path / "forger")
    with zipfile.ZipFile(file) as bundle:
        data = json.loads(bundle.read(MANIFEST))
    from core.audit.export_manifest import signed

    facts = {name: data[name] for name in data if name not in ("manifest", "key", "signature")}
    forged = signed(facts | {"format": Format.BUNDLE}, forger)
    found = altered(file, MANIFEST, lambda content: forged.json())
    assert "signed by the key" in bundle_proof.verify(found, key=log.signer.public.fingerprint).text()
    assert by_the_example(found, log.signer.public.fingerprint)[0] == 1


def test_a_key_that_was_handed_over_is_believed(log: Log, tmp_path: Path) -> None:
    log.written(1)
    first = log.signer.public.fingerprint
    audit.rotate(log.owner, Actor("operator", None, via="root"), log.home, now=NOW, reason="Once a year.")
    log.signer = audit.signer(log.home)
    log.written(1)
    exported(log, tmp_path / "log.zip")
    for key in (first, log.signer.public.fingerprint):
        assert bundle_proof.verify(tmp_path / "log.zip", key=key).known
        assert by_the_example(tmp_path / "log.zip", key)[0] == 0


def test_what_is_no_bundle_is_refused(file: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.zip"
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(more, "w") as after:
        for each in before.namelist():
            after.writestr(each, before.read(each))
        after.writestr("../more", b"")
    with pytest.raises(NoManifest):
        bundle_proof.verify(more)
    torn = tmp_path / "torn.zip"
    torn.write_bytes(file.read_bytes()[:-40])
    assert bundle_proof.is_bundle(torn)
    with pytest.raises(BundleDamaged, match="cut off or damaged"):
        bundle_proof.verify(torn)
    asked = [sys.executable, "-m", "core.cli", "audit", "verify-export", str(torn)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    said = " ".join((told.stdout + told.stderr).split())
    assert (told.returncode != 0, "cut off or damaged" in said, "manifest.json" in said) == (
        True,
        True,
        False,
    )


def test_the_example_says_in_a_sentence_what_is_no_bundle(log: Log, file: Path, tmp_path: Path) -> None:
    key = log.signer.public.fingerprint
    for content, said in (
        (None, "There is no file"),
        (b"id,at\n1,2\n", "is no bundle: “python verify_export.py"),
        (b"", "is no bundle"),
        (file.read_bytes()[:-40], "was cut off or damaged"),
        (file.read_bytes()[:200], "was cut off or damaged"),
    ):
        given = tmp_path / "given.zip"
        if content is not None:
            given.write_bytes(content)
        code, words = by_the_example(given, key)
        assert (code, said in words, "(" in words and "Error" in words) == (1, True, False), words


def test_no_bundle_is_made_of_what_is_not_signed_or_not_as_it_was_sealed(log: Log, tmp_path: Path) -> None:
    (id, *_) = log.write(2)
    with pytest.raises(NothingSigned):
        exported(log, tmp_path / "early.zip")
    log.seal()
    log.tamper("update audit_entries set reason = 'other' where id = :id", id=id)
    with pytest.raises(NoBundle):
        exported(log, tmp_path / "log.zip")


def test_parquet_holds_every_row_with_its_exact_text(log: Log, tmp_path: Path) -> None:
    log.write(2, before={"b": [1, None]}, operation_key="=1+1")
    log.seal()
    file = tmp_path / "log.parquet"
    made = exported(log, file, Format.PARQUET, milestone_id=5)
    rows = pq.read_table(file).to_pylist()
    assert [row["id"] for row in rows] == [made.manifest.first_id, made.manifest.last_id]
    assert rows[0]["before"] == '{"b": [1, null]}'
    assert (rows[0]["at"], rows[0]["operation_key"]) == (NOW, "=1+1")
    beside = tmp_path / "log.parquet.manifest.json"
    beside.write_bytes(made.manifest.json())
    key = log.signer.public.fingerprint
    assert export_proof.verify(file, key=key).known
    file.write_bytes(file.read_bytes().replace(b"PAR1", b"PAR2", 1))
    assert export_proof.verify(file, key=key).wrong == ("The file is not the one that was exported.",)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33])
def test_many_leaves_have_one_path(size: int) -> None:
    leaves, other = [leaf_hash(bytes([at])) for at in range(size)], leaf_hash(b"other")
    root, random = Edge().after(leaves).root, Random(size)
    for _ in range(40):
        places = sorted(random.sample(range(size), random.randint(0, size)))
        path = many_leaves.path(b"".join(leaves), places)
        known = {place: leaves[place] for place in places}
        assert many_leaves.root_of(known, size, path) == root
        assert many_leaves.root_of(known, size, [*path, root]) is None
        if path:
            assert many_leaves.root_of(known, size, path[1:]) is None
        if places:
            assert many_leaves.root_of(known | {places[0]: other}, size, path) != root
            assert many_leaves.root_of(known | {size: root}, size, path) is None


def test_a_bundle_has_the_last_timestamp_and_what_it_covers(log: Log, tmp_path: Path) -> None:
    with (
        timestamp_authority(tmp_path / "authority") as tsa,
        timestamp_authority(tmp_path / "another") as other,
    ):
        place = Timestamps(Settings(home=log.home, timestamp_url=tsa.url, timestamp_certificate=tsa.root))
        log.write(2)
        log.seal()
        publish(log.folder, log.file.stem, place, now=NOW)
        log.write(3)
        log.seal()
        file = tmp_path / "log.zip"
        exported(log, file)
        key = log.signer.public.fingerprint
        known = bundle_proof.verify(file, key=key, authority=Authority(tsa.root))
        assert (known.wrong, known.known) == ((), True)
        assert known.stamped
        assert known.stamped.at
        assert known.stamped.count == 2, "those that were sealed by then"
        assert "2 of them existed at" in known.text()
        assert "was not checked" in bundle_proof.verify(file, key=key).text()
        assert (
            "does not prove" in bundle_proof.verify(file, key=key, authority=Authority(other.root)).wrong[0]
        )
        assert by_the_example(file, key)[0] == 0
        for name, change in (
            ("gone", lambda content: None),
            ("moved", lambda content: content.replace(b'"path"', b'"pfad"')),
        ):
            bad = tmp_path / f"{name}.zip"
            rewritten(file, bad, TIMESTAMP, change)
            assert not bundle_proof.verify(bad, key=key, authority=Authority(tsa.root)).ok
            assert by_the_example(bad, key)[0] == 1


def test_a_timestamp_of_another_history_goes_into_no_bundle(log: Log, tmp_path: Path) -> None:
    with timestamp_authority(tmp_path / "authority") as tsa:
        place = Timestamps(Settings(home=log.home, timestamp_url=tsa.url, timestamp_certificate=tsa.root))
        log.written(1)
        publish(log.folder, log.file.stem, place, now=NOW)
    ((_, stamp),) = timestamps.kept(log.folder, log.file.stem)
    assert stamp
    note = Note.of(stamp.note)
    strange = stamp.note.replace(f"\n{note.size}\n", f"\n{note.size - 1}\n")
    timestamps.keep(log.folder, log.file.stem, replace(stamp, note=strange))
    exported(log, tmp_path / "log.zip")
    with zipfile.ZipFile(tmp_path / "log.zip") as bundle:
        assert TIMESTAMP not in bundle.namelist()


def rewritten(file: Path, out: Path, name: str, change: Callable[[bytes], bytes | None]) -> None:
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(out, "w") as after:
        for each in before.namelist():
            content = before.read(each)
            if (new := change(content) if each == name else content) is not None:
                after.writestr(each, new)
