"""Verifying a case file offline: every hash and every amount again, from nothing but the file."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from core.case_file import proof_agreement, proof_decision
from core.case_file.faults import Files, Wrong, read, same, trail
from core.case_file.sheet import PRINTER, summary
from core.errors import DeskError

FORMAT = "escrow-desk/case-file/1"
MANIFEST, PRINTED = "manifest.json", "summary.pdf"
LARGEST = 2 * 1024**3


class CaseFileUnreadable(DeskError):
    """{path} is not a case file: {why}."""


@dataclass(frozen=True)
class Proof:
    """`wrong` is the first thing that is off, None when nothing is. `checked` says what was looked at until then."""

    case: int | None
    checked: tuple[str, ...]
    wrong: str | None

    @property
    def ok(self) -> bool:
        return self.wrong is None


def verify(path: Path) -> Proof:
    """Check the file and stop at the first fault. Raises `CaseFileUnreadable` for what is no case file at all."""
    files = _read(path)
    checked: list[str] = []
    case = None
    try:
        case = int(json.loads(files[MANIFEST])["case"])
        for what, check in CHECKS:
            if NEEDED.get(what.partition(":")[0], MANIFEST) not in files:
                continue
            check(files)
            checked.append(what)
    except Wrong as fault:
        return Proof(case, tuple(checked), str(fault))
    except (DeskError, KeyError, TypeError, ValueError) as fault:
        return Proof(case, tuple(checked), f"{type(fault).__name__} while reading: {fault}")
    return Proof(case, tuple(checked), None)


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


def _manifest(files: Files) -> None:
    manifest = json.loads(files[MANIFEST])
    same("the format", manifest["format"], FORMAT)
    listed = manifest["files"]
    for name in sorted(files.keys() - {MANIFEST} - listed.keys()):
        raise Wrong(f"{name} was added: the manifest does not know it")
    for name in sorted(listed):
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise Wrong(f"{name} is not a path inside the case file")
        if name not in files:
            raise Wrong(f"{name} is missing")
        if hashlib.sha256(files[name]).hexdigest() != listed[name]["sha256"]:
            raise Wrong(f"{name} was changed: its hash is not the manifest's")
    same("whether it is decided", manifest["decided"], "plan.json" in files)
    same("whether it is agreed", manifest.get("agreed", False), "agreement.json" in files)


def _evidence(files: Files) -> None:
    pieces = json.loads(files["evidence.json"])
    for piece in pieces:
        if hashlib.sha256(files[piece["file"]]).hexdigest() != piece["sha256"]:
            raise Wrong(f"evidence {piece['id']} is not what was handed in: its content has another hash")
    kept = {name for name in files if name.startswith("evidence/")}
    if odd := sorted(kept ^ {piece["file"] for piece in pieces}):
        raise Wrong(f"{odd[0]} is not listed in evidence.json")


def _journals(files: Files) -> None:
    for journal in json.loads(files["journals.json"]):
        off_by = sum(each["amount"] for each in journal["postings"])
        if off_by:
            raise Wrong(f"journal {journal['key']} does not sum to zero: it is off by {off_by}")


def _events(files: Files) -> None:
    """Each change of the payment begins where the one before it ended, and the last is where the order is."""
    events = [json.loads(line) for line in files["events.jsonl"].decode().splitlines()]
    for before, after in pairwise(events):
        if after["from_state"] != before["to_state"]:
            raise Wrong(
                f"payment event {after['id']} begins at {after['from_state']}, not {before['to_state']}"
            )
    if events:
        same("the state of the payment", read(files, "case.json")["order"]["state"], events[-1]["to_state"])


def _order(files: Files) -> None:
    order = read(files, "case.json")["order"]
    places = ("held", "payable", "refundable", "released", "refunded")
    same("what was funded", order["funded_minor"], sum(order[f"{each}_minor"] for each in places))


def _audit(files: Files) -> None:
    numbers = [each["id"] for each in trail(files)]
    if numbers != sorted(set(numbers)):
        raise Wrong("the audit extract is not in the order in which it was written")
    case = int(read(files, MANIFEST)["case"])
    same("the case", read(files, "case.json")["ticket"]["id"], case)


def _printed(files: Files) -> None:
    """The summary again, if this desk prints as the one did that made it."""
    if read(files, MANIFEST).get("printed_by") != PRINTER:
        return
    if (
        summary({name: each for name, each in files.items() if name not in (MANIFEST, PRINTED)})
        != files[PRINTED]
    ):
        raise Wrong(f"{PRINTED} is not what these files print")


CHECKS: tuple[tuple[str, Callable[[Files], None]], ...] = (
    ("every file against the manifest", _manifest),
    ("every piece of evidence against its hash", _evidence),
    ("every journal sums to zero", _journals),
    ("every payment event follows the one before it", _events),
    ("every part of what was funded", _order),
    ("the audit extract is in order", _audit),
    ("every offer has its trace", proof_agreement.offers),
    *proof_decision.CHECKS,
    *proof_agreement.CHECKS,
    ("the printed summary", _printed),
)
NEEDED = {"the decision": "plan.json", "the agreement": "agreement.json"}


def lines(proof: Proof) -> Iterator[str]:
    yield from (f"✓ {what}" for what in proof.checked)
    if proof.wrong:
        yield f"✗ {proof.wrong}"
