"""What the process apart does: one task at a time, a file in, facts and perhaps a picture out.

This side meets the files of outsiders. It starts with an empty environment (no addresses, no keys), bounded memory and
no right to write files; if a file breaks it, it is ended and another is started.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from core.gateways import (
    evidence_bundle,
    evidence_images,
    evidence_office,
    evidence_pdfs,
    evidence_texts,
    evidence_videos,
    file_type,
)
from core.rules.evidence import (
    BY_NAME,
    EMAIL,
    AttachmentRefused,
    EvidenceKind,
    EvidenceRefused,
    check_size,
    format_of,
)

MEMORY = 1_536 * 1024 * 1024
Answer = tuple[dict[str, Any], bytes]


def inspect(content: bytes, *, file_name: str) -> Answer:
    """What it is, or why it is refused; for an e-mail also what it carries, each file checked like any other."""
    form = file_type.detect_format(file_name, content)
    facts: dict[str, Any] = {}
    match form.kind:
        case EvidenceKind.IMAGE:
            facts = evidence_images.inspect(file_name, content, form)
        case EvidenceKind.PDF:
            facts = evidence_pdfs.inspect(file_name, content)
        case EvidenceKind.TEXT:
            evidence_texts.inspect(file_name, content, form)
            if form is EMAIL:
                facts = {"attachments": _carried(file_name, content)}
        case EvidenceKind.VIDEO:
            facts = evidence_videos.inspect(file_name, content)
        case EvidenceKind.OTHER:
            evidence_office.inspect(file_name, content, form)
    return {"format": form.name} | facts, b""


def _carried(file_name: str, content: bytes) -> list[dict[str, Any]]:
    """The files of an e-mail, with what each is. Raises `AttachmentRefused` for the first that cannot be taken."""
    carried = []
    for each in evidence_texts.attachments(file_name, content):
        try:
            format_of(each.file_name)
            check_size(each.file_name, len(each.content))
            facts, _ = inspect(each.content, file_name=each.file_name)
        except EvidenceRefused as refusal:
            raise AttachmentRefused(
                file_name=file_name, attachment=each.file_name, why=refusal.message
            ) from refusal
        carried.append(facts | {"file_name": each.file_name})
    return carried


def attachment(content: bytes, *, file_name: str, number: int) -> Answer:
    """File `number` (from 0) of an e-mail."""
    return {}, evidence_texts.attachments(file_name, content)[number].content


def display(content: bytes, *, form: str) -> Answer:
    if BY_NAME[form].kind is EvidenceKind.VIDEO:
        return {}, evidence_videos.display(content)
    return {}, evidence_images.display(content, form)


def thumbnail(content: bytes, *, form: str) -> Answer:
    if BY_NAME[form].kind is EvidenceKind.PDF:
        return {}, evidence_images.boxed(evidence_pdfs.page(content, 1, width=400))
    if BY_NAME[form].kind is EvidenceKind.VIDEO:
        return {}, evidence_videos.thumbnail(content)
    return {}, evidence_images.thumbnail(content, form)


def about(content: bytes, *, form: str) -> Answer:
    """What a picture or video says of itself: whether it holds the place where it was taken, and how long it is."""
    if BY_NAME[form].kind is EvidenceKind.VIDEO:
        return evidence_videos.about(content), b""
    return {"place": evidence_images.holds_place(content, form)}, b""


def page(content: bytes, *, number: int) -> Answer:
    return {}, evidence_pdfs.page_png(content, number)


def pages(content: bytes) -> Answer:
    return {"pages": evidence_pdfs.count(content)}, b""


def text(content: bytes, *, form: str) -> Answer:
    return {}, evidence_texts.shown(content, form).encode("utf-8", "replace")


def bundle(content: bytes, *, title: str, said: str, exhibits: list[dict[str, Any]]) -> Answer:
    return evidence_bundle.bundle(content, title=title, said=said, exhibits=exhibits)


TASKS: dict[str, Callable[..., Answer]] = {
    task.__name__: task
    for task in (inspect, attachment, display, thumbnail, about, page, pages, text, bundle)
}


def answer(task: str, arguments: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The heading of the answer and the bytes that go with it."""
    try:
        facts, out = TASKS[task](content, **arguments)
        return {"facts": facts}, out
    except EvidenceRefused as refusal:
        return {"refused": type(refusal).__name__, "why": dict(refusal.facts)}, b""
    except (MemoryError, RecursionError):
        why = {"file_name": "The file", "why": "it needs too much memory"}
        return {"refused": "InspectionFailed", "why": why}, b""


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """One line of JSON and `size` bytes, both ways, until the other side closes."""
    while line := incoming.readline():
        asked = json.loads(line)
        content = incoming.read(asked["size"])
        heading, out = answer(asked["task"], asked["arguments"], content)
        outgoing.write(json.dumps(heading | {"size": len(out)}).encode() + b"\n" + out)
        outgoing.flush()


def confine() -> None:
    """Bounds where the system has them (Linux, and in part macOS)."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    confine()
    serve(sys.stdin.buffer, sys.stdout.buffer)
