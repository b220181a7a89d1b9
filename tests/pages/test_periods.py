"""Closing on screen: what is missing stands there, two people reopen, the signed summary is taken and proved."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1.element_tree import TextInput

from core.audit import period_summary
from core.db import Database
from core.ledger import journal_store
from core.ledger.journals import Journal, Posting
from core.money import Money
from core.queries import periods
from core.records import Period
from core.rules.periods import closed_by
from core.rules.permissions import TABLE, Permission
from dashboard.ui.safe import html
from tests import builders
from tests.actions.test_periods import reconciled, with_a_break
from tests.builders import PEOPLE, Town
from tests.cli.terminal import Terminal
from tests.pages.downloading import offered, taken
from tests.pages.visiting import labels, serve, visit, words

pytestmark = pytest.mark.unrecorded  # the runs of reconciliation are written by hand


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def closed(town: Town) -> None:
    reconciled(town)
    visit(town, "fay", "periods").button(key="close-period").click().run()
    assert town.read(periods.open_from) == town.now.date()


@pytest.mark.parametrize("subject", PEOPLE)
def test_each_role_sees_what_it_may_do(town: Town, subject: str) -> None:
    reconciled(town)
    app = visit(town, subject, "periods")
    held = town.roles[subject]
    assert ("Closed periods" in words(app)) is bool(held & TABLE[Permission.READ_LEDGER])
    closes = any(each.startswith("Close ") for each in labels(app))
    assert closes is bool(held & TABLE[Permission.CLOSE_PERIOD])


def test_what_is_missing_stands_in_the_checklist_and_the_button_waits(town: Town) -> None:
    app = visit(town, "fay", "periods")
    assert "No reconciliation reaches the end of" in words(app)
    assert app.button(key="close-period").disabled
    reconciled(town)
    app = visit(town, "fay", "periods")
    assert not app.button(key="close-period").disabled
    app.button(key="close-period").click().run()
    assert "is closed, and its summary is signed." in words(app)


def test_a_month_is_closed_from_its_address(town: Town) -> None:
    reconciled(town)
    app = visit(town, "fay", "periods", kind="MONTH")
    last = town.now.date().replace(day=1) - timedelta(days=1)
    assert f"Close {last:%B %Y}" in " ".join(labels(app))
    app.button(key="close-period").click().run()
    assert town.read(periods.open_from) == town.now.date().replace(day=1)


def test_what_explains_a_day_is_not_taken_for_the_explanation_of_its_month(town: Town) -> None:
    reconciled(town)
    last = town.now.date().replace(day=1) - timedelta(days=1)

    def field(kind: str) -> TextInput:
        app = visit(town, "fay", "periods", kind=kind, day=last.isoformat())
        (found,) = [each for each in app.text_input if (each.key or "").startswith("close-explanation")]
        return found

    with_a_break(town, datetime.combine(last, time(12), UTC))
    field("DAY").set_value("The bank was asked.").run()
    assert field("MONTH").value == ""
    assert field("DAY").value == "The bank was asked.", "it is there where it was typed"


def test_each_item_of_the_checklist_opens_where_it_is_seen_to(town: Town) -> None:
    seen = words(visit(town, "fay", "periods"))
    for page, law in (
        ("periods", "Everything before it is closed"),
        ("reconciliation", "Stripe's statement was reconciled to its end"),
        ("reconciliation", "Every break of it is explained"),
        ("reconciliation", "Suspense is empty or explained"),
        ("checks", "Every check of the books holds"),
    ):
        assert f'<a href="/{page}" target="_self">{html(law)}</a>' in seen
    assert "<td>The period is over</td>" in seen


def test_the_file_of_a_summary_says_its_number_once(town: Town) -> None:
    closed(town)
    number = town.read(lambda s: s.query(Period).one()).id
    day = town.now.date() - timedelta(days=1)
    app = visit(town, "fay", "periods", id=number)
    for ending in ("pdf", "json"):
        given = taken(app, f"day-{day.isoformat()}.{ending}").headers["content-disposition"]
        assert f"day-{day.isoformat()}_period-{number}_20" in given


def test_what_is_overdue_leads_to_the_close_that_its_sentence_names(town: Town) -> None:
    reconciled(town)
    visit(town, "fay", "periods", kind="MONTH").button(key="close-period").click().run()
    due = town.read(periods.next_due)
    assert due is not None
    town.now = closed_by(due) + timedelta(hours=1)
    for page in ("overview", "periods"):
        assert f"**{due.words} is not closed.**" in " ".join(
            w.value for w in visit(town, "fay", page).warning
        )
    app = visit(town, "fay", "periods")
    assert f"Close {due.words}" in labels(app)
    first = f"Close {due.first:%-d %b %Y}"
    assert first not in labels(app)
    assert first in labels(visit(town, "fay", "periods", kind="DAY"))


def test_a_year_is_closed_after_its_months_and_says_what_it_moves(town: Town) -> None:
    reconciled(town)
    earned = Journal(
        "a", "x", (Posting("bank", Money(900, "USD")), Posting("other_income", Money(-900, "USD")))
    )
    earlier = datetime(2025, 12, 3, tzinfo=UTC)
    town.database.run(lambda s: journal_store.post(s, earned, now=town.now, happened_at=earlier))
    app = visit(town, "fay", "periods", kind="YEAR")
    assert "December 2025 is to be closed first." in words(app)
    assert app.button(key="close-period").disabled
    visit(town, "fay", "periods", kind="MONTH").button(key="close-period").click().run()
    app = visit(town, "fay", "periods", kind="YEAR")
    assert "To retained earnings" in words(app)
    app.button(key="close-period").click().run()
    assert "FY 2025 is closed, and its summary is signed." in words(app)
    (row, *_) = town.read(periods.rows)
    links = words(visit(town, "cora", "periods", id=row.id))
    assert f"J-{row.closing_entries[0]}" in links
    for day, shown in (("2025-12-31", True), ("2025-12-30", False)):
        app = visit(town, "fay", "trial_balance", at=day)
        assert ("before-closing" in [each.key for each in app.toggle]) is shown


def test_two_people_reopen_it_on_the_page(town: Town) -> None:
    closed(town)
    with town.database.reading() as session:
        (row,) = periods.rows(session)
    app = visit(town, "fay", "periods", id=row.id)
    app.text_input(key="reopen-reason-1").set_value("A fee was missing.").run()
    app.button(key="reopen-ask-1").click().run()
    assert "Submitted." in words(app)
    own = visit(town, "fay", "periods")
    assert "reopening-1-confirm" not in [each.key for each in own.button]
    other = visit(town, "cora", "periods")
    assert "A fee was missing." in words(other)
    other.text_input(key="reopening-1-reason").set_value("Seen.").run()
    other.button(key="reopening-1-confirm").click().run()
    assert "is open again" in words(other)
    assert town.read(periods.open_from) == town.now.date() - timedelta(days=1)


def test_the_signed_summary_is_taken_as_pdf_and_json_and_proved_without_the_desk(
    town: Town, tmp_path: Path
) -> None:
    terminal = Terminal().run
    closed(town)
    app = visit(town, "fay", "periods", id=1)
    files = offered(app)
    (pdf,) = (taken(app, name).content for name in files if name.endswith(".pdf"))
    assert pdf.startswith(b"%PDF")
    (name,) = (name for name in files if name.endswith(".json"))
    path = tmp_path / "summary.json"
    path.write_bytes(taken(app, name).content)
    stored = town.read(lambda s: s.get_one(Period, 1).summary)
    assert json.loads(path.read_text()) == stored
    signer = period_summary.signer_of(stored)
    assert signer is not None
    key = signer.fingerprint
    assert terminal("period", "verify", str(path), "--key", key, "--json").well().json["ok"]
    assert terminal("period", "verify", str(path), "--key", ":".join(["0000"] * 8)).code == 1
    path.write_text(json.dumps(stored | {"last": "2030-01-01"}))
    assert terminal("period", "verify", str(path)).code == 1
    path.write_text("{}")
    terminal("period", "verify", str(path)).refuses("cannot be read as the summary of a period")
