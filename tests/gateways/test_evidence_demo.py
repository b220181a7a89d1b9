"""The demo's own evidence passes the same gate as everybody's, and is the same on every machine run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from reportlab import rl_config

from core.demo.documents import SCENES, email_text, invoice_pdf, photo, report_pdf
from core.gateways import evidence_files
from core.money import Money
from core.rules.evidence import EvidenceKind

AT = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize("kind", SCENES)
def test_a_photograph_comes_in_with_its_time_and_differs_by_seed(kind: str) -> None:
    inspected = evidence_files.inspect("photo.jpg", photo(1, kind, AT))
    assert inspected.taken_at == AT
    assert photo(1, kind, AT) == photo(1, kind, AT)
    assert photo(2, kind, AT) != photo(1, kind, AT)


def test_papers_come_in_and_are_the_same_each_time() -> None:
    def papers() -> dict[str, bytes]:
        report = report_pdf(
            title="Inspection report",
            author="R. Okafor",
            site="4 Elm Street",
            on=AT,
            findings=[("Crack", "It runs from the sill to the ground. " * 60)],
            photos=[(photo(1, "wall_cracked", AT), "The crack")],
            conclusion="Not to the agreed standard.",
        )
        lines = [("Tiles", Money(30_000, "USD")), ("Labour", Money(120_050, "USD"))]
        invoice = invoice_pdf(
            number="2026-014", seller="Kestrel Tiling", buyer="Lucía Prado", on=AT, lines=lines
        )
        mail = email_text(
            sender="A <a@example.org>", to="B <b@example.org>", at=AT, subject="Tiles", body="Hello"
        )
        return {"report.pdf": report, "invoice.pdf": invoice, "letter.eml": mail}

    first = papers()
    kinds = [evidence_files.inspect(name, content).kind for name, content in first.items()]
    assert kinds == [EvidenceKind.PDF, EvidenceKind.PDF, EvidenceKind.TEXT]
    assert papers() == first


def test_making_papers_leaves_the_printer_of_the_house_as_it_was() -> None:
    """A case file is proved by printing it again, perhaps in a process that has made other papers."""
    before = rl_config.useA85
    invoice_pdf(number="7", seller="A", buyer="B", on=AT, lines=[("Work", Money(100, "USD"))])
    assert rl_config.useA85 == before
