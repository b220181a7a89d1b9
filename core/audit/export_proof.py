"""An export held against its manifest, with no database and no configuration: what is off, row by row."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

import rfc8785

from core.audit import checkpoints
from core.audit.export_manifest import FORMAT, Format, Marks, mark, signer_of
from core.audit.keys import PublicKey
from core.errors import DeskError

ID = re.compile(rb'(?:\{"id":)?(\d{1,19})[,}]')
LISTED = 100
LARGEST = 2**30  # bytes of a manifest


class NoManifest(DeskError):
    """{path} is not the signed manifest of an export ({why}). Earlier versions signed none: export again."""


class BundleDamaged(NoManifest):
    """{path} is a bundle that was cut off or damaged ({why}). Nothing in it can be verified: get the file again."""


class NoExport(DeskError):
    """There is no file {path}, or it cannot be read."""


@dataclass(frozen=True)
class StampedEntries:
    """How many of the entries an authority's timestamp covers; `at` is None where no authority was named to believe."""

    count: int = 0
    at: datetime | None = None
    wrong: str = ""

    @property
    def text(self) -> str:
        if self.at is None:
            return "It has a timestamp, which was not checked: name the authority's root with --authority."
        entries = "1 of them" if self.count == 1 else f"{self.count:,} of them"
        return f"By the timestamp of an authority {entries} existed at {self.at:%Y-%m-%d %H:%M:%S} UTC."


@dataclass(frozen=True)
class ExportVerification:
    """What was found. `wrong` is empty where file and manifest are as the desk exported them; `known` where that is
    proved by the key that the verifier knows. `proved`: how many entries of a bundle stand in the signed tree."""

    rows: int
    key: str
    known: bool
    filter: Mapping[str, Any]
    exported_at: str
    seal: int | None
    not_sealed: int
    wrong: tuple[str, ...] = ()
    more: int = 0
    proved: int | None = None
    stamped: StampedEntries | None = None

    @property
    def ok(self) -> bool:
        return not self.wrong

    def text(self) -> str:
        if self.wrong:
            rest = [f"Not listed here: {self.more:,} more."] if self.more else []
            return "\n".join([*self.wrong, *rest])
        what = f"the entries that match {json.dumps(self.filter)}" if self.filter else "the whole log"
        lines = [
            self._as_exported(),
            f"The file holds {what}, as of that moment.",
        ]
        sealed = (
            f"Seal {self.seal} was the last that was signed then" if self.seal else "Nothing was signed then"
        )
        lines.append(f"{sealed}; {self.not_sealed:,} of the rows were not sealed yet.")
        if self.proved is not None:
            proved = f"{self.proved:,} of the {self.rows:,}"
            lines.append(f"Proved to stand in the log under that seal, as they are here: {proved}.")
        if self.stamped:
            lines.append(self.stamped.text)
        return "\n".join(lines)

    def _as_exported(self) -> str:
        """By whom, only where the key is known: whoever has another can sign a file of their own."""
        one = self.rows == 1
        rows, them = ("The one row is", "it") if one else (f"All {self.rows:,} rows are", "them")
        at = f"{self.exported_at[:19]}Z"
        if self.known:
            return f"{rows} as the desk exported {them} at {at}: signed by key {self.key}, as it should be."
        unknown = (
            "It is not known here whether that is the desk's key: name the one that you were told with --key."
        )
        return f"{rows} as signed at {at} by key {self.key}. {unknown}"


def verify(file: Path, *, manifest: Path | None = None, key: str | None = None) -> ExportVerification:
    """`key` is the fingerprint whose signature the manifest must bear. Raises `NoManifest`, `NoExport`."""
    beside = manifest or file.with_name(f"{file.name}.manifest.json")
    data = _read(beside)
    if not file.is_file():
        raise NoExport(path=file)
    with file.open("rb") as content:
        return found(data, _compared(content, data), key=key, known=frozenset({key or ""}))


def found(
    data: Mapping[str, Any],
    wrong: list[str],
    *,
    key: str | None,
    known: frozenset[str],
    proved: int | None = None,
    stamped: StampedEntries | None = None,
) -> ExportVerification:
    """What is wrong with the rows, and with the manifest, whose signer must be among the `known`."""
    signer = _signer(data)
    about: list[str] = []
    if signer is None:
        about.append("The manifest was altered: its signature does not fit it.")
    elif key and signer.fingerprint not in known:
        about.append(f"The manifest is signed by the key {signer.fingerprint}, and not by {key}.")
    wrong = [*about, *_checkpoint(data), *wrong]
    shown = signer or PublicKey.of(bytes.fromhex(data["key"]))
    return ExportVerification(
        rows=data["rows"],
        key=shown.fingerprint if shown else "none",
        known=bool(key) and not wrong,
        filter=data["filter"],
        exported_at=data["exported_at"],
        seal=data["seal"],
        not_sealed=data["not_sealed"],
        wrong=tuple(wrong[:LISTED]),
        more=max(0, len(wrong) - LISTED),
        proved=proved,
        stamped=stamped,
    )


def ledger_of(manifest: Path) -> str:
    """Which desk's log it says it is from."""
    return str(_read(manifest)["ledger"])


NEEDED: Mapping[str, type | tuple[type, ...]] = {
    "name": str, "format": str, "filter": dict, "rows": int, "sha256": str, "ledger": str, "not_sealed": int,
    "exported_at": str, "lines": dict, "key": str, "signature": str, "seal": (int, type(None)),
    "seal_hash": (str, type(None)), "checkpoint": (str, type(None)), "header_sha256": (str, type(None)),
}  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise NoManifest(path=path, why="it is too large")
        content = path.read_bytes()
    except OSError:
        raise NoManifest(path=path, why="there is no such file") from None
    return read(content, path)


def read(content: bytes, path: Path) -> dict[str, Any]:
    """A manifest with all its fields; nothing is checked yet. Raises `NoManifest`."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise NoManifest(path=path, why="it is no JSON") from None
    if not isinstance(data, dict) or data.get("manifest") != FORMAT:
        raise NoManifest(path=path, why="it is of another kind")
    if off := [name for name, kind in NEEDED.items() if not isinstance(data.get(name, ...), kind)]:
        raise NoManifest(path=path, why=f"{off[0]} is missing")
    return data


def _signer(data: Mapping[str, Any]) -> PublicKey | None:
    try:
        return signer_of(data)
    except (ValueError, KeyError, TypeError, rfc8785.CanonicalizationError):
        return None


def _checkpoint(data: Mapping[str, Any]) -> list[str]:
    """The checkpoint that it rests on is whole, signed, and of this log."""
    if data["checkpoint"] is None:
        return []
    line = data["checkpoint"].encode()
    try:
        signed_by = PublicKey.of(bytes.fromhex(json.loads(line)["key"]))
    except (ValueError, KeyError, TypeError):
        signed_by = None
    found = checkpoints.signed_line(line, data["ledger"], lambda _: signed_by)
    if found.seal is None:
        return [f"The checkpoint in the manifest {found.wrong}."]
    if (found.seal.n, found.seal.hash.hex()) != (data["seal"], data["seal_hash"]):
        return ["The checkpoint in the manifest is of another seal than the one that the manifest names."]
    return []


def _compared(content: BufferedReader, data: Mapping[str, Any]) -> list[str]:
    """What became of the rows; nothing where the file is the very one that was signed."""
    sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    if sha256 == data["sha256"]:
        return []
    if data["format"] not in (Format.CSV, Format.JSONL):
        return ["The file is not the one that was exported."]
    content.seek(0)
    lines = _lines(content, quoted=data["format"] == Format.CSV)
    header = next(lines, b"") if data["format"] == Format.CSV else b""
    wrong = differing(sha256, [id_and_mark(line) for line in lines], data)
    if data["format"] == Format.CSV and hashlib.sha256(header).hexdigest() != data["header_sha256"]:
        wrong = [
            "The line with the names of the columns was altered.",
            *(each for each in wrong if each != SAME),
        ]
    return wrong


SAME = "The file is not the one that was exported, although its rows look the same."


def differing(sha256: str, rows: list[tuple[int | None, bytes]], data: Mapping[str, Any]) -> list[str]:
    """Which rows are not those that were exported: `rows` are those of the file with this hash, each with its mark."""
    if sha256 == data["sha256"]:
        return []
    try:
        wanted = list(Marks.unpacked(data["lines"]))
    except (ValueError, KeyError, zlib.error, TypeError):
        return ["The file is not the one that was exported, and the manifest's list of rows cannot be read."]
    return _differences(wanted, rows) or [SAME]


def id_and_mark(line: bytes) -> tuple[int | None, bytes]:
    found = ID.match(line)
    return int(found[1]) if found else None, mark(line)


def _differences(wanted: list[tuple[int, bytes]], found: list[tuple[int | None, bytes]]) -> list[str]:
    marks, seen, wrong = dict(wanted), set[int](), []
    order: list[int] = []
    for place, (id, its_mark) in enumerate(found, start=1):
        if id is None:
            wrong.append(f"Row {place} of the file cannot be read: it was altered or inserted.")
        elif id not in marks:
            wrong.append(f"Entry {id} was inserted: it is not among those that were exported.")
        elif id in seen:
            wrong.append(f"Entry {id} was inserted: it stands in the file twice.")
        else:
            seen.add(id)
            order.append(id)
            if its_mark != marks[id]:
                wrong.append(f"Entry {id} was altered.")
    wrong += [f"Entry {id} is missing." for id, _ in wanted if id not in seen]
    out_of_place = next((id for id, before in zip(order[1:], order, strict=False) if id < before), None)
    if out_of_place is not None:
        wrong.append(f"The rows were put into another order: entry {out_of_place} is not where it was.")
    return wrong


def _lines(content: BufferedReader, *, quoted: bool) -> Iterator[bytes]:
    """The rows of the file; in CSV a text in quotation marks may go over several lines."""
    row = bytearray()
    for line in content:
        row += line
        if not quoted or row.count(b'"') % 2 == 0:
            yield bytes(row)
            row.clear()
    if row:
        yield bytes(row)
