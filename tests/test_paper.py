"""Names of people print as they are written, whichever letters they have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

from core import paper
from core.case_file.summary_pdf import summary
from core.db import Database
from core.document_paper import ReceiptDocument, draw
from core.money import Money
from tests import builders
from tests.case_file.packs import edited, told_and_packed, unpacked

NAMES = {
    "Latin": "Łukasz Çelik-Ğünay, Þórr Ňuñez",
    "Greek": "Σωκράτης Ψαρράς",
    "Cyrillic": "Ольга Їжакевич",
    "Chinese": "田中张伟",
    "Japanese": "たなか タロウ",
    "Korean": "김민준",
    "Hebrew": "נועה",
    "signs of money": "¥ € £ ₩ ₴ ₺",
}


def printed(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(text.split())


@pytest.mark.parametrize("script", NAMES)
def test_a_receipt_names_people_in_their_own_letters(script: str) -> None:
    name = NAMES[script]
    said = printed(draw(receipt(payer=name, scope={"project": name, "milestone": "M", "deliverable": name})))
    assert said.count(name) == 3
    assert "¥5,000" in said, "the sign of the yen stands in the table too"


def receipt(*, payer: str, scope: dict[str, str]) -> ReceiptDocument:
    total = Money(5_000, "JPY")
    return ReceiptDocument(
        number="R-2026-000001",
        since=None,
        said="Received.",
        issuer=("Homes Ltd",),
        references="milestone M-1, project P-1",
        kind="FUNDING",
        payer=payer,
        payee="Ben Okafor",
        payment_method=None,
        at=datetime(2026, 3, 2, tzinfo=UTC),
        lines=(("Milestone", total),),
        total=total,
        tax_bps=0,
        tax=Money.zero("JPY"),
        scope={**scope, "scope": "As drawn."},
        scope_hash="0" * 64,
    )


def test_the_summary_of_a_case_names_people_in_their_own_letters(database: Database, tmp_path: Path) -> None:
    files = unpacked(told_and_packed(builders.a_town(database), tmp_path).content, tmp_path)
    for name in NAMES.values():
        edited("case.json", lambda case, name=name: case["parties"][0].update(name=name))(files)
        edited("case.json", lambda case, name=name: case["milestone"].update(title=name))(files)
        assert printed(summary(files)).count(name) == 2, "once in bold, once in the small print"


def test_a_letter_that_no_font_holds_is_printed_as_its_number_and_markup_as_words() -> None:
    assert paper.safe("नि") == "[U+0928][U+093F]"
    assert paper.safe("<b>&</b>\u202e\x00") == "&lt;b&gt;&amp;&lt;/b&gt;"
    assert "[U+" not in paper.safe("".join(NAMES.values()))


def test_the_licence_lies_beside_the_fonts() -> None:
    assert "Permission is hereby granted" in (paper.FONTS / "LICENSE.txt").read_text(encoding="utf-8")
