"""What the desk draws for a bank: an extract of its log, messages or e-mails, as pages of A4."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reportlab.lib.pagesizes import A4
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from core.clock import utc
from core.paper import DIM, safe, style

TITLE = style("extract-title", 15, 20, bold=True)
HEAD = style("extract-head", 9, 13, bold=True, spaceBefore=8)
BODY = style("extract-body", 9, 13)
NOTE = style("extract-note", 8, 11, textColor=DIM)


@dataclass(frozen=True)
class PaperEntry:
    """One thing that happened or was written, by whom."""

    at: datetime
    who: str
    title: str
    text: str = ""


def draw(title: str, said: str, entries: Sequence[PaperEntry]) -> bytes:
    """The same facts give the same bytes: the PDF bears no time of its own."""
    out = io.BytesIO()
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author="Escrow Desk", invariant=1)
    document.build(list(_flow(title, said, entries)))
    return out.getvalue()


def _flow(title: str, said: str, entries: Sequence[PaperEntry]) -> Iterator[Flowable]:
    yield Paragraph(safe(title), TITLE)
    yield Paragraph(safe(said), NOTE)
    yield Spacer(1, 8)
    for each in entries:
        yield Paragraph(safe(f"{utc(each.at):%d %B %Y, %H:%M} UTC · {each.who} · {each.title}"), HEAD)
        for line in each.text.splitlines():
            yield Paragraph(safe(line), BODY) if line.strip() else Spacer(1, 5)
