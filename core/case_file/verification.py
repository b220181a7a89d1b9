"""Verifying a case file offline: every hash and every amount again, from nothing but the file."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.case_file import verify_agreement, verify_books, verify_decision, verify_trail
from core.case_file.check_helpers import Files, Wrong, read, same, trail
from core.case_file.signing import FORMAT, MANIFEST, SIGNATURE, signed_by
from core.case_file.summary_pdf import PRINTERS, summary
from core.errors import DeskError

PRINTED = "summary.pdf"
CASE = "case.json"
UNREADABLE = (DeskError, KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError)
LARGEST = 2 * 1024**3


class CaseFileUnreadable(DeskError):
    """{path} is not a case file: {why}."""


@dataclass(frozen=True)
class CaseFileVerification:
    """`wrong` is the first thing that is off, None when nothing is. `checked` says what was looked at until then.

    `key` is the fingerprint of the key that signed; `known` says that it is the one that was asked for.
    `unchecked`: what could not be looked at here, and why.
    """

    case: int | None
    checked: tuple[str, ...]
    wrong: str | None
    key: str | None = None
    known: bool = False
    unchecked: str | None = None
    erased: int = 0
    """Words and files that were erased by right, as whoever signed it says: nothing here proves those."""

    @property
    def ok(self) -> bool:
        return self.wrong is None


def verify(path: Path, *, key: str | None = None) -> CaseFileVerification:
    """Check the file and stop at the first fault; `key` is the fingerprint that the signature must have.

    Raises `CaseFileUnreadable` for what is no case file at all.
    """
    run = _Run(_read(path), key)
    try:
        run.check()
    except Wrong as fault:
        return run.proof(str(fault))
    except UNREADABLE as fault:
        return run.proof(f"{type(fault).__name__} while reading: {fault}")
    return run.proof(None)


class _Run:
    """One verification: what was found until it ended."""

    def __init__(self, files: Files, wanted: str | None) -> None:
        self.files, self.wanted = files, wanted
        self.case: int | None = None
        self.key: str | None = None
        self.checked: list[str] = []
        self.unchecked: str | None = None
        self.erased = 0

    def proof(self, wrong: str | None) -> CaseFileVerification:
        known = self.wanted is not None and self.key == self.wanted
        return CaseFileVerification(
            self.case, tuple(self.checked), wrong, self.key, known, self.unchecked, self.erased
        )

    def check(self) -> None:
        _format(self.files)
        self.case = int(read(self.files, MANIFEST)["case"])
        for what, check in CHECKS:
            if NEEDED.get(what.partition(":")[0], MANIFEST) in self.files:
                if check is _printed and _other_printer(self.files):
                    self.unchecked = f"{PRINTED} was not compared: another version of the desk printed it"
                    continue
                check(self.files)
                self.checked.append(what)
            if check is _manifest:
                self._signature()
                self.erased = _erased(self.files)

    def _signature(self) -> None:
        """Before anything in the files is believed."""
        self.key = signed_by(self.files).fingerprint
        if self.wanted not in (None, self.key):
            raise Wrong(f"it is signed by key {self.key}, and not by {self.wanted}")
        self.checked.append("the signature of the manifest")


def fault_of(files: Files) -> str | None:
    """What is off in a case file that is neither printed nor signed; None when nothing is."""
    try:
        for what, check in CHECKS:
            if check not in (_manifest, _printed) and NEEDED.get(what.partition(":")[0], CASE) in files:
                check(files)
    except Wrong as fault:
        return str(fault)
    except UNREADABLE as fault:
        return f"{type(fault).__name__} while reading: {fault}"
    return None


def _read(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
            if sum(each.file_size for each in entries) > LARGEST:
                raise CaseFileUnreadable(path=path, why="it is too large")
            if len({each.filename for each in entries}) != len(entries):
                raise CaseFileUnreadable(path=path, why="it has two files of one name")
            files = {each.filename: packed.read(each) for each in entries}
    except (OSError, zipfile.BadZipFile, RuntimeError) as problem:
        raise CaseFileUnreadable(path=path, why=str(problem)) from None
    if MANIFEST not in files:
        raise CaseFileUnreadable(path=path, why="it has no manifest")
    return files


def _format(files: Files) -> None:
    found = read(files, MANIFEST)["format"]
    if found == "escrow-desk/case-file/1":
        raise Wrong(
            "it is of the first format, which was not signed and proves nothing: export the case again"
        )
    same("the format", found, FORMAT)


def _manifest(files: Files) -> None:
    manifest = json.loads(files[MANIFEST])
    listed = manifest["files"]
    for name in sorted(files.keys() - {MANIFEST, SIGNATURE} - listed.keys()):
        raise Wrong(f"{name} was added: the manifest does not know it")
    for name in sorted(listed):
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise Wrong(f"{name} is not a path inside the case file")
        if name not in files:
            raise Wrong(f"{name} is missing")
        if hashlib.sha256(files[name]).hexdigest() != listed[name]["sha256"]:
            raise Wrong(f"{name} was changed: its hash is not the manifest's")
        same(f"the size of {name}", len(files[name]), listed[name]["bytes"])
    same("whether it is decided", manifest["decided"], "plan.json" in files)
    same("whether it is agreed", manifest.get("agreed", False), "agreement.json" in files)


def _evidence(files: Files) -> None:
    pieces = json.loads(files["evidence.json"])
    for piece in pieces:
        if piece["file"] is None and piece.get("erased") is True:
            continue
        if hashlib.sha256(files[piece["file"]]).hexdigest() != piece["sha256"]:
            raise Wrong(f"evidence {piece['id']} is not what was submitted: its content has another hash")
    kept = {name for name in files if name.startswith("evidence/")}
    if odd := sorted(kept ^ {piece["file"] for piece in pieces if piece["file"] is not None}):
        raise Wrong(f"{odd[0]} is not listed in evidence.json")


def _erased(files: Files) -> int:
    """How many rows say that their words were erased."""
    rows = [read(files, "case.json")["ticket"]]
    for name in ("messages.json", "evidence.json", "offers.json"):
        rows += read(files, name) if name in files else []
    return sum(each.get("erased") is True for each in rows)


def _audit(files: Files) -> None:
    numbers = [each["id"] for each in trail(files)]
    if numbers != sorted(set(numbers)):
        raise Wrong("the audit extract is not in the order in which it was written")


def _other_printer(files: Files) -> bool:
    return read(files, MANIFEST).get("printed_by") not in PRINTERS


def _printed(files: Files) -> None:
    """The summary again, in the layout that it was printed in."""
    layout = PRINTERS[read(files, MANIFEST)["printed_by"]]
    ours = (MANIFEST, SIGNATURE, PRINTED)
    if summary({name: each for name, each in files.items() if name not in ours}, layout) != files[PRINTED]:
        raise Wrong(f"{PRINTED} is not what these files print")


CHECKS: tuple[tuple[str, Callable[[Files], None]], ...] = (
    ("every file against the manifest", _manifest),
    ("every piece of evidence against its hash", _evidence),
    ("the audit extract is in order", _audit),
    *verify_books.CHECKS,
    *verify_trail.CHECKS,
    ("every settlement proposal has its trace", verify_agreement.offers),
    *verify_decision.CHECKS,
    *verify_agreement.CHECKS,
    (
        "the case, settlement proposals, messages, captions and decision, word for word where an entry keeps the hash",
        verify_trail.words,
    ),
    ("the printed summary", _printed),
)
NEEDED = {"the decision": "plan.json", "the agreement": "agreement.json"}


def lines(proof: CaseFileVerification) -> Iterator[str]:
    yield from (f"✓ {what}" for what in proof.checked)
    if proof.unchecked:
        yield f"– {proof.unchecked}"
    if proof.erased:
        yield f"– {proof.erased} of its texts and files were erased by right: nothing here proves what they were"
    if proof.wrong:
        yield f"✗ {proof.wrong}"
    if proof.key and proof.known:
        yield f"Signed by key {proof.key}, as it should be."
    elif proof.key and proof.key not in (proof.wrong or ""):
        yield f"Signed by key {proof.key}; compare it with your desk's, which “escrow-desk doctor” prints."
