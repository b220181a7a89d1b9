"""What a printed page is: A4, tables over its whole width with every amount, and no field that only a screen needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session

from core.db import Database
from core.embedded_postgres import Urls
from core.money import Money
from core.records import Break, ReconciliationRun
from core.rules.breaks import BreakClass, Side
from core.rules.reconciliation import BreakKind
from tests import builders, unrecorded
from tests.actions.test_bank_matching import booked
from tests.builders import Town
from tests.pages.served_desk import Desk, serving

pytestmark = pytest.mark.slow
PAPER = 1123  # pixels of A4 landscape
# Each page with what is chosen on it, as its paper says that.
PAGES = {
    "/trial_balance?zeros=true&line=held": ("Trial balance", "Zero balances"),
    "/financial_statements": ("Financial statements", ""),
    "/fees?by=By+month": ("Fees", "By month"),
    "/documents": ("Documents", ""),
    "/receivables": ("Receivables", ""),
    "/reconciliation": ("Reconciliation", ""),
    "/payouts": ("Payouts", ""),
    "/holds": ("Holds", ""),
}
FIELDS = '[data-testid="stMain"] :is(input:not([type=radio]):not([type=checkbox]), textarea)'
CUT = "all => all.filter(one => one.offsetParent && one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"


@pytest.fixture
def town(database: Database) -> Town:
    town = builders.a_town(database)
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(100_000, "USD")))
    builders.carry_out(town)
    return town


@pytest.fixture
def desk(urls: Urls, town: Town, browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    with serving(urls, browser, tmp_path, width=PAPER, height=794) as served:
        served.open("/overview")
        served.enter("Fay Moreno")
        served.settle("Overview")
        yield served


def test_a_printed_page_is_its_tables_and_no_empty_field(desk: Desk) -> None:
    page = desk.page
    for address, (title, said) in PAGES.items():
        page.emulate_media(media="screen")
        desk.open(address)
        desk.settle(title)
        page.emulate_media(media="print")
        expect(page.get_by_test_id("stSidebar")).to_be_hidden()
        empty = [each for each in page.locator(FIELDS).all() if each.is_visible() and not each.input_value()]
        assert empty == [], address
        if said:
            expect(page.locator(".ed-paper", has_text=said).first).to_be_visible()
        main = page.get_by_test_id("stMainBlockContainer").bounding_box()
        assert main is not None
        for table in page.locator(".ed-paper table").all():
            box = table.bounding_box()
            assert box is not None
            assert box["width"] > 0.9 * main["width"], (address, "half of the paper is empty")
            assert box["x"] + box["width"] <= main["x"] + main["width"] + 1, (address, "cut at the edge")
        assert page.locator(".ed-paper td.ed-money").evaluate_all(CUT) == [], address


@pytest.mark.unrecorded
def test_a_break_on_paper_names_its_run_and_its_journal(desk: Desk, town: Town) -> None:
    """Links cannot be pressed there; one that names an object is text, and one that leads to a page is not there."""
    number, journal = town.database.run(_a_break_with_both)
    desk.open(f"/reconciliation?break={number}")
    desk.settle(f"Break B-{number}")
    shown = desk.page.get_by_test_id("stMain").get_by_test_id("stPageLink")
    expect(shown.filter(has_text="Journal").first).to_be_visible()
    desk.page.emulate_media(media="print")
    on_paper = [" ".join(each.split()) for each in shown.filter(visible=True).all_inner_texts()]
    assert on_paper == ["Run RC-1", f"Journal J-{journal}"]


def _a_break_with_both(session: Session) -> tuple[int, int]:
    """A run that saw that a journal of ours is not on our bank's statement."""
    unrecorded.admit(session)
    journal = booked(session, "odd", -4_711)
    now = builders.NOW
    run = ReconciliationRun(until=now, started_at=now, finished_at=now, status="BREAKS")
    run.in_suspense, run.unmatched = 0, 1
    session.add(run)
    session.flush()
    found = Break(
        side=Side.BANK, object=f"posting:{journal}", currency="USD", kind=BreakKind.NOT_AT_PROVIDER, ours=-4_711,
        since=now, class_=BreakClass.LEDGER_ONLY, opened_at=now, last_seen_at=now, first_run_id=run.id,
        last_run_id=run.id, journal_id=journal,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found.id, journal
