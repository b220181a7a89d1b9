"""The reasons of a decision, as long and as hostile as a person may write them: read whole wherever they stand, and
nothing in them is carried out."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pypdfium2
from streamlit.testing.v1 import AppTest

from core.actions.decisions import confirmation
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.records import Notification
from tests import builders
from tests.case_file.packs import export, unpacked
from tests.pages.visiting import serve, visit, words

LINE = (
    "{n}. **Fett** and `code`, <b>bold</b>, <script>alert({n})</script> ![x](http://evil.example/{n}.png), "
    "[link](javascript:alert({n})), $x^2$ :red[red] # Übergröße 田中 Ольга é 🧱 & 100 %, end of {n}"
)
LINES = [LINE.format(n=number) for number in range(100, 132)]
LONG = "\n\n".join(LINES)


def is_whole_and_harmless(app: AppTest, where: str) -> None:
    shown = words(app)
    assert "<script>" not in shown.lower(), where
    assert "<b>bold" not in shown, where
    read = html.unescape(shown)
    for line in LINES:
        assert line in read, (where, line)
    for kind in (app.markdown, app.caption, app.warning, app.error, app.info):
        assert not [each.value for each in kind if "evil.example" in each.value], where


def test_a_long_reason_is_whole_from_the_plan_to_the_paper(database: Database, tmp_path: Path) -> None:
    assert 6_000 < len(LONG) < 10_000
    town = builders.a_town(database)
    serve(town, tmp_path)
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    made = builders.decided(town, told, builders.a_draft(told, reasons=LONG))
    assert made.reasons == LONG

    is_whole_and_harmless(visit(town, "mia", "case", id=told.case), "case")
    app = visit(town, "fay", "approvals", id=told.case)
    is_whole_and_harmless(app, "approvals")
    next(each for each in app.button if each.label == "Review plan").click().run()
    is_whole_and_harmless(app, "plan")

    town.act(
        confirmation.approve,
        town.as_staff("fay"),
        decision_id=made.id,
        plan_hash=made.plan_hash,
        note="Seen.",
    )
    builders.carry_out(town)
    letters = [each for each in town.read(lambda s: s.query(Notification).all()) if "end of 131" in each.text]
    assert {each.party_id for each in letters} == {town.payer_id, town.payee_id}
    for each in letters:
        text = " ".join(line.removeprefix("> ") for line in each.text.splitlines())
        assert all(line in text for line in LINES)
        assert "<script>" not in each.html
        assert all(line in " ".join(html.unescape(each.html).split()) for line in LINES)
    is_whole_and_harmless(visit(town, "cora", "case", id=told.case, tab="E-mails"), "afterwards")

    files = unpacked(export(town, EvidenceStore(tmp_path), told.case).content, tmp_path)
    assert json.loads(files["plan.json"])["reasons"] == LONG
    (paper,) = (content for name, content in files.items() if name.endswith(".pdf"))
    printed = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(paper))
    for line in LINES:
        assert "".join(line.replace("🧱", "[U+1F9F1]").split()) in "".join(printed.split()), line
