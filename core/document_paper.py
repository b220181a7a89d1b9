"""The paper of a receipt: who paid whom, how much, when and for what, on one page of A4."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from core.clock import utc
from core.money import Money, percent
from core.paper import BOLD, DIM, INK, PLAIN, safe, style
from core.rules.documents import TITLES, ReceiptKind

TITLE = style("title", 17, 22, bold=True)
HEAD = style("head", 11, 16, bold=True, spaceBefore=12)
BODY = style("body", 9.5, 13.5)
NOTE = style("note", 8, 11, textColor=DIM, wordWrap="CJK")

PAID = {
    ReceiptKind.FUNDING: "Paid with",
    ReceiptKind.RELEASE: "Paid by the payer with",
    ReceiptKind.REFUND: "Paid back to",
}


@dataclass(frozen=True)
class ReceiptDocument:
    """Everything that is on it. `said`: what happened, and why; `since`: what became of it
    after it was issued; `references`: the numbers that it goes by; `tax` is
    included in the total."""

    number: str
    said: str
    since: str | None
    issuer: tuple[str, ...]
    references: str
    kind: str
    payer: str
    payee: str
    payment_method: str | None
    at: datetime
    lines: tuple[tuple[str, Money], ...]
    total: Money
    tax_bps: int
    tax: Money
    scope: Mapping[str, Any]
    scope_hash: str


def draw(paper: ReceiptDocument) -> bytes:
    """The same facts give the same bytes: the PDF bears no time of its own."""
    out = io.BytesIO()
    title = f"{TITLES[paper.kind]} {paper.number}"
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author="Escrow Desk", invariant=1)
    document.build(list(_flow(paper, title)))
    return out.getvalue()


def _flow(paper: ReceiptDocument, title: str) -> Iterator[Flowable]:
    moment = utc(paper.at)
    yield Paragraph(title, TITLE)
    yield Paragraph(safe(paper.said), NOTE)
    if paper.since:
        yield Paragraph(safe(paper.since), BODY)
    yield Spacer(1, 8)
    people = [("Issued by", ", ".join(paper.issuer)), ("Payer", paper.payer), ("Payee", paper.payee)]
    means = [(PAID[ReceiptKind(paper.kind)], paper.payment_method)] if paper.payment_method else []
    for label, value in (*people, *means, ("Reference", paper.references)):
        yield Paragraph(f"{label}: {safe(value)}", BODY)
    yield Paragraph(f"Date: {moment:%d %B %Y, %H:%M} UTC", BODY)
    yield Spacer(1, 8)
    rows = [*((label, amount.text()) for label, amount in paper.lines), ("Total", paper.total.text())]
    at = len(rows) - 1
    if paper.tax_bps:
        rows.append((f"Tax in it, {percent(paper.tax_bps)}", paper.tax.text()))
        rows.append(("Net of tax", (paper.total - paper.tax).text()))
    yield Table(
        rows,
        colWidths=(300, 140),
        hAlign="LEFT",
        style=[
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("FONT", (0, 0), (-1, -1), PLAIN, 9.5),
            ("FONTNAME", (0, at), (-1, at), BOLD),
            ("LINEABOVE", (0, at), (-1, at), 0.5, INK),
        ],
    )
    yield Paragraph("What it is for", HEAD)
    yield Paragraph(safe(f"{paper.scope['project']}: {paper.scope['milestone']}"), BODY)
    yield Paragraph(safe(f"Deliverable: {paper.scope['deliverable']}"), BODY)
    yield Paragraph(safe(str(paper.scope["scope"])), BODY)
    yield Spacer(1, 8)
    yield Paragraph(f"Scope as agreed, SHA-256 {paper.scope_hash}", NOTE)
