"""The shell in a real browser: sign-in, sign-out, one write for two clicks, and nothing foreign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from core.db import Database
from core.embedded_postgres import Urls
from core.records.people import Installation
from core.rules.permissions import Role
from tests import page_at_rest
from tests.dashboard.desk_fixtures import NOW, hire
from tests.pages.served_desk import Desk, serving

pytestmark = pytest.mark.slow
QUEUE = """
import time
from pathlib import Path
import streamlit as st
from sqlalchemy import text
from core.money import Money
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import confirm, header, tables
request_context.require(Permission.READ_CASES)
header.page("Cases", "![x](http://evil.example/p.png)")
def write(session, actor, now):
    session.execute(text("insert into presses values (:intent)"), {"intent": intent})
    time.sleep(0.4)
if intent := confirm.pressed("Do it", key="do", money=True):
    confirm.carry_out(intent, write, done="Done once.")
rows = [{"id": n, "held": Money(n * 100, "USD"), "name": "![x](http://evil.example/q.png)"} for n in range(1, 30)]
columns = [tables.opens("id", "Case", page="case"), tables.text("name", "Payer"), tables.money("held", "Held")]
whole = tables.Table("queue", lambda session: rows, permission=Permission.READ_CASES)
tables.table(rows, columns, key="queue", download=whole)
st.image(Path(st.__file__).with_name("static") / "favicon.png", width=16)
"""
CASE = """
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.ui import header
request_context.require(Permission.READ_CASES)
header.page(f"Case {navigation.asked()}", back=("disputes", "Cases"))
"""


@pytest.fixture
def served(urls: Urls, owner: Database, browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    with owner.transaction() as session:
        session.add(Installation(id=1, name="test", demo=True, created_at=NOW))
        hire(session, Role.MEDIATOR, "Mara Lindqvist")
        hire(session, Role.FINANCE, "Jonas Weber")
        session.execute(text("create table presses (intent text)"))
        session.execute(text("grant select, insert on presses to app"))
    for name, source in {"disputes": QUEUE, "case": CASE}.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    with serving(urls, browser, tmp_path, pages=tmp_path) as desk:
        page_at_rest.listen(desk.page)
        yield desk


def presses(owner: Database) -> int:
    with owner.reading() as session:
        return session.scalar(text("select count(*) from presses")) or 0


def test_one_day_at_the_desk(served: Desk, owner: Database) -> None:
    served.open("/case?id=17")
    assert urlsplit(served.page.url).path == "/sign-in"
    served.enter("Mara Lindqvist")
    served.settle("Case 17")
    served.page.get_by_role("link", name="Cases").first.click()
    served.settle("Cases")

    # Two clicks 80 ms apart, the second while the first is writing.
    button = served.page.locator(".st-key-do button")
    button.evaluate("button => { button.click(); setTimeout(() => button.click(), 80) }")
    expect(served.page.get_by_text("Done once.")).to_be_visible(timeout=15_000)
    page_at_rest.settle(served.page, patience=15_000)
    assert presses(owner) == 1

    # A second click that comes when the button has just been drawn anew does not leave the browser; a press counts.
    button.dispatch_event("click", {"detail": 2})
    page_at_rest.settle(served.page, patience=15_000)
    assert presses(owner) == 1
    button.evaluate("button => button.click()")
    page_at_rest.settle(served.page, patience=15_000)
    assert presses(owner) == 2

    # Revoked elsewhere: the next touch of the page closes it, and nothing is written.
    with owner.transaction() as session:
        session.execute(text("update staff_sessions set revoked_at = now()"))
    button.click()
    expect(served.page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=15_000)
    assert presses(owner) == 2
    served.page.get_by_role("link", name="Sign in").click()

    served.enter("Jonas Weber")
    served.settle("Cases")
    served.page.get_by_role("button", name="Sign out").click()
    expect(served.page.get_by_role("button", name="Jonas Weber")).to_be_visible()
    served.page.go_back()
    expect(served.page.get_by_role("button", name="Jonas Weber")).to_be_visible()

    assert served.foreign == set()
    assert not [line for line in served.troubles if "Content Security Policy" in line or "evil" in line], (
        served.troubles
    )


def test_a_click_on_a_reference_opens_it_in_this_session_and_back_comes_back(served: Desk) -> None:
    served.open("/disputes")
    served.enter("Mara Lindqvist")
    served.settle("Cases")
    grid = served.page.locator("[data-testid=stDataFrame]").bounding_box()
    assert grid
    served.page.mouse.click(grid["x"] + 16, grid["y"] + 36 + 34 * 2 + 17)
    served.settle("Case 3")
    assert served.page.url.endswith("/case?id=3")
    served.page.go_back()
    served.settle("Cases")


def test_a_file_and_a_picture_are_for_the_session_that_they_were_drawn_for(
    served: Desk, browser: Browser, owner: Database
) -> None:
    served.open("/disputes")
    served.enter("Mara Lindqvist")
    served.settle("Cases")
    drawn = served.page.locator("[data-testid=stImage] img").get_attribute("src") or ""
    picture = urlsplit(drawn).path
    file = served.page.get_by_role("link", name="CSV").get_attribute("href") or ""
    assert picture.startswith("/media/")
    with served.page.expect_download() as taking:
        served.page.get_by_role("link", name="CSV").click()
    assert taking.value.suggested_filename.startswith("queue_")
    assert Path(taking.value.path()).read_text("utf-8-sig").splitlines()[1] == (
        "1,![x](http://evil.example/q.png),1.00,USD"
    )
    stranger = browser.new_context()
    other = Desk(served.url, stranger.new_page())
    other.open("/case?id=3")
    other.enter("Jonas Weber")
    other.settle("Case 3")
    for address in (picture, file):
        assert served.page.context.request.get(served.url + address).status == 200
        assert stranger.request.get(served.url + address).status == 404
    stranger.close()
    with owner.reading() as session:
        taken = session.execute(
            text("select after from audit_entries where action = 'desk:table:export'")
        ).all()
    assert [each.after["rows"] for each in taken] == [29, 29]


def test_an_address_at_which_there_is_no_page_says_so(served: Desk) -> None:
    served.open("/disputes")
    served.enter("Mara Lindqvist")
    served.settle("Cases")
    for address, called in (("/break?id=99999", "/break"), ("/break/99999", "/break/99999")):
        served.open(address)
        served.settle("No page")
        expect(served.page.get_by_text(f"There is no page {called}")).to_be_visible()
