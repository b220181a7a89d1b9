"""Files from outsiders: what came in, and the forms in which it may be looked at.

`inspect` is the only way in. Nothing that an outsider sent is ever shown as it is: pictures are re-encoded, pages of a
PDF become pictures, text stays text; the original leaves only as a download.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.gateways.evidence_sandbox import ask
from core.rules import file_names
from core.rules.evidence import BY_NAME, EvidenceKind, Format, check_size, format_of, named_for

DRAWN = frozenset({EvidenceKind.IMAGE, EvidenceKind.PDF, EvidenceKind.VIDEO})


@dataclass(frozen=True)
class Inspected:
    """A file that may be kept. `taken_at` is what the camera says, in UTC: a claim, not a proof.

    `carried` are the files inside it (an e-mail's), each of which may be kept as well.
    """

    format: Format
    file_name: str
    size_bytes: int
    sha256: str
    taken_at: datetime | None
    pages: int | None
    carried: tuple[Carried, ...] = ()

    @property
    def kind(self) -> EvidenceKind:
        return self.format.kind

    @property
    def media_type(self) -> str:
        return self.format.media_type


@dataclass(frozen=True)
class Exhibit:
    """One file of a bundle, as it is called there."""

    title: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Bundle:
    """One PDF of several exhibits; `firsts` are the pages on which they begin, `counts` how many each has."""

    content: bytes
    pages: int
    firsts: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Carried:
    """A file that came inside another, and its bytes."""

    inspected: Inspected
    content: bytes


def inspect(file_name: str, content: bytes) -> Inspected:
    """The file, checked whole: name, size, true type, bombs, active content. Raises `EvidenceRefused`."""
    name = file_names.clean(file_name)
    format_of(name)
    check_size(name, len(content))
    facts, _ = ask("inspect", content, file_name=name, arguments={"file_name": name})
    return replace(
        _inspected(name, content, facts),
        carried=tuple(
            _carried(name, content, number, one) for number, one in enumerate(facts.get("attachments", ()))
        ),
    )


def _inspected(name: str, content: bytes, facts: dict[str, Any]) -> Inspected:
    taken_at = facts.get("taken_at")
    form = BY_NAME[facts["format"]]
    return Inspected(
        format=form,
        file_name=named_for(name, form),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        taken_at=datetime.fromisoformat(taken_at) if taken_at else None,
        pages=int(facts["pages"]) if "pages" in facts else None,
    )


def _carried(letter: str, content: bytes, number: int, facts: dict[str, Any]) -> Carried:
    inside = ask("attachment", content, file_name=letter, arguments={"file_name": letter, "number": number})[
        1
    ]
    return Carried(_inspected(str(facts["file_name"]), inside, facts), inside)


def display(content: bytes, form: Format) -> bytes:
    """A picture (PNG or JPEG), or the beginning of a video, re-encoded, upright, without EXIF, at most 2400 pixels on
    its longer side."""
    return ask("display", content, arguments={"form": form.name})[1]


def thumbnail(content: bytes, form: Format) -> bytes | None:
    """A WebP of 400 × 300 of a picture, a first page or the beginning of a video; None for what cannot be drawn."""
    if form.kind not in DRAWN:
        return None
    return ask("thumbnail", content, arguments={"form": form.name})[1]


def about(content: bytes, form: Format) -> bytes:
    """JSON of what a picture or video says of itself: `place` (whether the file holds it), `seconds` of a video."""
    return json.dumps(ask("about", content, arguments={"form": form.name})[0]).encode()


def page(content: bytes, number: int) -> bytes:
    """Page `number` (from 1) of a PDF as a PNG, 1400 pixels wide."""
    return ask("page", content, arguments={"number": number})[1]


def pages(content: bytes) -> int:
    """The number of pages of a PDF."""
    return int(ask("pages", content, arguments={})[0]["pages"])


def bundle(title: str, said: str, exhibits: Sequence[Exhibit]) -> Bundle:
    """Several files as one PDF: contents first, then each exhibit with its number on every page."""
    listed = [{"title": each.title, "kind": each.media_type, "size": len(each.content)} for each in exhibits]
    facts, out = ask(
        "bundle",
        b"".join(each.content for each in exhibits),
        file_name=title,
        arguments={"title": title, "said": said, "exhibits": listed},
    )
    return Bundle(out, int(facts["pages"]), tuple(facts["firsts"]), tuple(facts["counts"]))


def text(content: bytes, form: Format) -> str:
    """Text as people may read it: at most 200,000 characters, invisible marks spelled out."""
    return ask("text", content, arguments={"form": form.name})[1].decode()
