"""The places outside that checkpoints go to, each of them where a setting names it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

from core.audit import checkpoints, timestamps
from core.audit.checkpoint_lines import number_of
from core.audit.outside import OutsideDisagrees, OutsideUnreachable, Place, Readable
from core.audit.timestamps import Authority, Timestamp
from core.config import Settings
from core.errors import DeskError
from core.gateways.files import replace
from core.gateways.mail import compose, mail_from
from core.gateways.object_store import Bucket, BucketUnreachable
from core.policy.limits import CHECKPOINTS_MAILED_EVERY, TIMESTAMPED_EVERY

NOTE_FILE = "{ledger}.checkpoint"
READABLE = 0o644  # for the witness
AT_ONCE = timedelta(0)
NUMBERED = "{ledger}/{n:019d}.jsonl"


def places(settings: Settings) -> list[Place]:
    """Those that are set. Nothing is asked of any of them yet."""
    found: list[Place] = []
    if settings.outside_checkpoints is not None:
        found.append(Folder(settings.outside_checkpoints))
    if settings.checkpoint_bucket:
        found.append(BucketPlace(Bucket(settings.checkpoint_bucket, settings)))
    if settings.checkpoint_mail:
        found.append(Mailbox(settings))
    if settings.timestamp_url:
        found.append(Timestamps(settings))
    return found


def readable(settings: Settings) -> list[Readable]:
    """Those of them that can be read back."""
    return [each for each in places(settings) if isinstance(each, Readable)]


def authority(settings: Settings) -> Authority | None:
    """Whose timestamps are believed here; None where that is not set."""
    return Authority(settings.timestamp_certificate) if settings.timestamp_certificate else None


@dataclass(frozen=True)
class Folder:
    """The lines in `<ledger>.jsonl`, as in the home, and the newest checkpoint as a note in `<ledger>.checkpoint`."""

    path: Path
    kind = "folder"
    every = AT_ONCE
    newest_only = False
    asked_always = True

    @property
    def name(self) -> str:
        return str(self.path)

    def last_line(self, ledger: str, n: int) -> bytes:
        self._require()
        try:
            return checkpoints.last_line(self.path, ledger)
        except OSError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.strerror or problem) from None

    def add(self, ledger: str, lines: Sequence[bytes], now: datetime) -> None:
        self._require()
        try:
            checkpoints.append(self.path, ledger, lines)
            if said := _note(lines[-1]):
                note = self.path / NOTE_FILE.format(ledger=ledger)
                replace(note, said.encode())
                note.chmod(READABLE)
        except OSError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.strerror or problem) from None

    def lines(self, ledger: str) -> Iterator[bytes]:
        self._require()
        path = checkpoints.file_of(self.path, ledger)
        try:
            with path.open("rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))
        except FileNotFoundError:
            return
        except OSError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.strerror or problem) from None

    def _require(self) -> None:
        """It is never made: where it should be mounted, it would lie on the desk's own disk."""
        if not self.path.is_dir():
            raise OutsideUnreachable(place=self.name, why="there is no such folder")


@dataclass(frozen=True)
class BucketPlace:
    """Objects `<ledger>/<number>.jsonl` with one line or some that follow each other, named by the last. None is ever
    written over, so a login that may list, read and create is enough."""

    bucket: Bucket
    kind = "bucket"
    every = AT_ONCE
    newest_only = False
    asked_always = False

    @property
    def name(self) -> str:
        return self.bucket.url

    def last_line(self, ledger: str, n: int) -> bytes:
        """Only what follows the last known object is listed."""
        after = NUMBERED.format(ledger=ledger, n=n - 1) if n else ""
        try:
            *_, newest = ["", *self.bucket.keys(ledger, after=after)]
            return _last(self.bucket.get(newest)) if newest else b""
        except BucketUnreachable as problem:
            raise OutsideUnreachable(place=self.name, why=problem.facts["why"]) from None

    def add(self, ledger: str, lines: Sequence[bytes], now: datetime) -> None:
        n, content = number_of(lines[-1]), b"".join(lines)
        key = NUMBERED.format(ledger=ledger, n=n)
        try:
            if not self.bucket.create(key, content) and self.bucket.get(key) != content:
                raise OutsideDisagrees(place=self.name, why=f"{key} is there already, and is another")
        except BucketUnreachable as problem:
            raise OutsideUnreachable(place=self.name, why=problem.facts["why"]) from None

    def lines(self, ledger: str) -> Iterator[bytes]:
        try:
            for content in self.bucket.get_all(self.bucket.keys(ledger)):
                yield from content.splitlines(keepends=True)
        except BucketUnreachable as problem:
            raise OutsideUnreachable(place=self.name, why=problem.facts["why"]) from None


@dataclass(frozen=True)
class Mailbox:
    """The signed notes of the checkpoints by e-mail, which nobody can call back. Some in one mail, in order."""

    settings: Settings
    kind = "mail"
    every = CHECKPOINTS_MAILED_EVERY
    newest_only = False
    asked_always = False

    @property
    def name(self) -> str:
        return self.settings.checkpoint_mail

    def last_line(self, ledger: str, n: int) -> None:
        return None

    def add(self, ledger: str, lines: Sequence[bytes], now: datetime) -> None:
        """The same lines make the same mail, under the same Message-ID."""
        first, last = number_of(lines[0]), number_of(lines[-1])
        which = f"seal {last}" if first == last else f"seals {first} to {last}"
        text = "\n".join([f"{ABOUT.format(which=which)}\n", *filter(None, map(_note, lines))])
        try:
            message = compose(
                number=f"checkpoints-{ledger}-{last}",
                sender=self.settings.mail_from,
                name="",
                address=self.name,
                subject=f"Checkpoints of the audit log, {which}",
                text=text,
                html=f"<pre>{escape(text)}</pre>",
                at=datetime.fromisoformat(json.loads(lines[-1])["signed_at"]),
            )
            with mail_from(self.settings).opened() as postbox:
                postbox.send(message)
        except DeskError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.message.rstrip(".")) from None


@dataclass(frozen=True)
class Timestamps:
    """The newest checkpoint, stamped by the authority; its token lies in the home, beside the checkpoints."""

    settings: Settings
    kind = "timestamps"
    every = TIMESTAMPED_EVERY
    newest_only = True
    asked_always = False

    @property
    def name(self) -> str:
        return self.settings.timestamp_url

    def last_line(self, ledger: str, n: int) -> None:
        return None

    def add(self, ledger: str, lines: Sequence[bytes], now: datetime) -> None:
        note, n = _note(lines[-1]), number_of(lines[-1])
        if note is None or n is None:
            return  # of before there was a tree: the next one covers it
        try:
            answer = timestamps.ask(self.name, note, Authority(self.settings.timestamp_certificate or Path()))
        except DeskError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.message.rstrip(".")) from None
        try:
            timestamps.keep(self.settings.home / "checkpoints", ledger, Timestamp(n, note, answer))
        except OSError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.strerror or problem) from None


ABOUT = """\
Signed checkpoints of the audit log, {which}. Keep this mail: whoever alters the log later cannot alter these.

`escrow-desk audit prove-growth` proves that the log of today begins with the one of a checkpoint, from the first line
of it to its signature."""


def _note(line: bytes) -> str | None:
    """The signed note of the tree in this line; None in one of before there was a tree."""
    tree = json.loads(line).get("tree")
    return str(tree["note"]) if tree else None


def _last(content: bytes) -> bytes:
    return (content.splitlines(keepends=True) or [b"\n"])[-1]
