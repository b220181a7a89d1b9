"""Ctrl-K on any page: typed at once, Enter goes there, Back comes back; what is found can be gone through by keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.desk import PATIENCE, Demo, Person, a_person


@pytest.fixture
def finance(demo: Demo, browser: Browser) -> Iterator[Person]:
    with a_person(demo, browser) as person:
        person.sign_in("Farah Siddiqui", arriving="Overview")
        yield person


def search(person: Person, words: str) -> None:
    person.page.keyboard.press("Control+k")
    person.page.keyboard.type(words)
    person.page.keyboard.press("Enter")


def test_what_is_typed_at_once_goes_to_the_one_thing_it_names_and_back_comes_back(
    finance: Person, demo: Demo
) -> None:
    case = demo.one("select max(id) from cases")
    search(finance, f"D-{case}")
    expect(finance.page).to_have_url(re.compile(rf"/case\?id={case}$"), timeout=PATIENCE)
    expect(finance.page.get_by_role("dialog")).to_have_count(0)
    finance.settle()
    finance.page.go_back()
    expect(finance.page).to_have_url(re.compile(r"/overview$"), timeout=PATIENCE)


def test_what_is_found_is_gone_through_with_the_arrows(finance: Person, demo: Demo) -> None:
    party = demo.one(
        "select p.name from parties p join projects j on j.payer_id = p.id order by j.id limit 1"
    )
    search(finance, party.upper())
    dialog = finance.page.get_by_role("dialog")
    expect(dialog.get_by_role("link").first).to_be_visible(timeout=PATIENCE)
    finance.settle()
    dialog.get_by_role("searchbox").focus()
    finance.page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("link").first).to_be_focused()
    finance.page.keyboard.press("Enter")
    expect(dialog).to_have_count(0, timeout=PATIENCE)
    expect(finance.page).to_have_url(re.compile(r"/(case|project)\?id=\d+$"), timeout=PATIENCE)


def test_what_is_not_there_is_said_and_escape_closes_the_search(finance: Person) -> None:
    search(finance, "D-99999999")
    dialog = finance.page.get_by_role("dialog")
    expect(dialog.get_by_text("Nothing that you may see bears")).to_be_visible(timeout=PATIENCE)
    finance.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0, timeout=PATIENCE)
    expect(finance.page).to_have_url(re.compile(r"/overview$"))
