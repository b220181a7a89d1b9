"""The queue and the evidence under a hand: keys, the way back, half-written words, two pictures in step, a mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from sqlalchemy import func, select, text

from core.actions.cases import evidence, unsent_text
from core.actions.decisions import drafts
from core.db import Database
from core.embedded_postgres import Urls
from core.gateways.evidence_store import EvidenceStore
from core.queries import evidence_notes
from core.records import Message
from core.rules.grounds import Reference
from tests import builders, patience
from tests.builders import Told, Town
from tests.gateways.evidence_builders import picture
from tests.pages.served_desk import Desk, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@pytest.fixture
def told(town: Town, tmp_path: Path) -> list[Told]:
    """Three cases; the first has two pictures."""
    cases = [builders.in_mediation(town, title=f"Kitchen {number}") for number in (1, 2, 3)]
    for name, quality in (("before.jpg", 60), ("after.jpg", 90)):
        town.act(
            evidence.submit,
            town.payee,
            store=EvidenceStore(tmp_path / "home"),
            milestone_id=cases[0].milestone,
            file_name=name,
            content=picture(quality=quality),
        )
    return cases


@pytest.fixture
def desk(urls: Urls, told: list[Told], browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    with serving(urls, browser, tmp_path) as served:
        served.open("/disputes")
        served.enter("Mia Lund")
        served.settle("Cases")
        yield served


def current_row(page: Page) -> str:
    row = page.locator(".ed-queue tr[data-current] button")
    expect(row).to_be_visible(timeout=patience.MILLISECONDS)
    return row.inner_text()


def shift(sheet: Locator) -> list[float]:
    """How far a picture is moved, in pixels."""
    words: str = sheet.evaluate("sheet => sheet.style.transform")
    return [float(each) for each in re.findall(r"-?[\d.]+", words)]


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_day_at_the_queue_with_the_keyboard_alone(desk: Desk, told: list[Told]) -> None:
    page = desk.page
    first, second, third = (f"D-{each.case}" for each in told)
    assert current_row(page) == first
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    assert current_row(page) == third
    page.keyboard.press("k")
    assert current_row(page) == second
    assert page.evaluate("document.activeElement.textContent") == second

    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Search parties, titles and numbers")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()

    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="Mine")).to_be_checked(timeout=patience.MILLISECONDS)
    desk.settle("Cases")
    page.keyboard.press("/")
    page.keyboard.type("Kitchen 2")
    expect(page.locator(".ed-queue tbody tr")).to_have_count(1, timeout=patience.MILLISECONDS)
    assert asked(page) == {"view": ["Mine"], "q": ["Kitchen 2"]}
    page.reload()
    desk.settle("Cases")
    expect(page.locator(".ed-queue tbody tr")).to_have_count(1, timeout=patience.MILLISECONDS)

    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(second, timeout=patience.MILLISECONDS)
    page.go_back()
    desk.settle("Cases")
    expect(page.locator(".ed-queue tbody tr")).to_have_count(1, timeout=patience.MILLISECONDS)
    assert asked(page) == {"view": ["Mine"], "q": ["Kitchen 2"]}
    assert not [line for line in desk.troubles if "Content Security Policy" in line], desk.troubles
    assert desk.foreign == set()


def lightness(page: Page) -> list[int]:
    """Of the paper, of a figure and of a cell: from 0 to 765."""
    paints = [
        page.locator(place).first.evaluate(f"each => getComputedStyle(each).{paint}")
        for place, paint in (
            (".stApp", "backgroundColor"),
            (".ed-kpi b", "color"),
            (".ed-queue tbody td", "color"),
        )
    ]
    return [sum(map(int, re.findall(r"\d+", each)[:3])) for each in paints]


def test_paper_is_white_whatever_the_screen_is(desk: Desk) -> None:
    desk.page.emulate_media(color_scheme="dark")
    desk.page.reload()
    desk.settle("Cases")
    ground, *inks = lightness(desk.page)
    assert (ground < 150, min(inks) > 450) == (True, True)
    desk.page.emulate_media(color_scheme="dark", media="print")
    ground, *inks = lightness(desk.page)
    assert (ground, max(inks) < 300) == (3 * 255, True)


def test_two_pictures_move_in_step_and_a_marked_part_gets_its_note(
    desk: Desk, told: list[Told], town: Town
) -> None:
    page, case = desk.page, told[0]
    desk.open(f"/case?id={case.case}")
    page.get_by_role("button", name="Open", exact=True).first.click(timeout=patience.MILLISECONDS)
    page.get_by_role("button", name="Compare").first.click(timeout=patience.MILLISECONDS)
    stages = page.locator(".ed-stage")
    expect(stages).to_have_count(2, timeout=patience.MILLISECONDS)
    stages.first.focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    sheets = page.locator(".ed-sheet")
    expect(sheets).to_have_count(2, timeout=patience.MILLISECONDS)
    one, two = (shift(sheets.nth(number)) for number in range(2))
    assert one == pytest.approx(two, abs=1)  # the columns differ by a part of a pixel
    assert one[0] < 0
    page.get_by_role("button", name="Zoom and pan both pictures together").first.click()
    page.keyboard.press("Tab")
    stages.first.focus()
    page.keyboard.press("+")
    apart = [each.evaluate("sheet => sheet.style.width") for each in page.locator(".ed-sheet").all()]
    assert apart[0] != apart[1]

    page.get_by_role("button", name="Draw a frame around a part").first.click()
    box = stages.first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 70, steps=4)
    page.mouse.up()
    expect(page.get_by_text("About the marked part of before.jpg")).to_be_visible(
        timeout=patience.MILLISECONDS
    )
    page.get_by_role("textbox", name="Note").fill("The joint is open here.")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Noted, for staff only.")).to_be_visible(timeout=patience.MILLISECONDS)
    ((note,),) = town.read(lambda s: evidence_notes.of_milestone(s, case.milestone)).values()
    assert (note.body, note.number) == ("The joint is open here.", 1)
    assert note.area
    assert not [line for line in desk.troubles if "Content Security Policy" in line], desk.troubles


def line(page: Page, place: str) -> Locator:
    """What is said under a field about its words."""
    return page.locator(f'.ed-typed[data-place="{place}"]')


def test_words_are_saved_while_they_are_typed_and_another_tab_is_told(
    desk: Desk, told: list[Told], town: Town
) -> None:
    page, place = desk.page, f"case.{told[0].case}.reasons"

    def kept() -> str:
        return town.read(lambda s: unsent_text.find(s, town.as_staff("mia"), place=place)).body

    desk.open(f"/case?id={told[0].case}")
    field = page.get_by_role("textbox", name="Reasons")
    field.click(timeout=patience.MILLISECONDS)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/words", hold)
    page.keyboard.type("The joint ")
    expect(line(page, place)).to_have_text("9 characters, 11 more are needed.Not saved yet.")
    page.unroute("**/words")
    for each in held:
        each.continue_()
    expect(line(page, place)).to_contain_text("Saved", timeout=patience.MILLISECONDS)
    assert kept() == "The joint "
    assert stored(page) == []
    page.route(
        "**/words", lambda route: route.abort()
    )  # the desk hears nothing of the rest before the reload
    page.keyboard.type("is open, and water comes in.")
    expect(line(page, place)).to_contain_text(
        "Could not be saved: the desk cannot be reached", timeout=patience.MILLISECONDS
    )
    page.reload()
    page.unroute("**/words")
    expect(field).to_have_value("The joint is open, and water comes in.", timeout=patience.MILLISECONDS)
    expect(line(page, place)).to_contain_text("Saved", timeout=patience.MILLISECONDS)

    other = page.context.new_page()
    other.goto(page.url)
    theirs = other.get_by_role("textbox", name="Reasons")
    expect(theirs).to_have_value("The joint is open, and water comes in.", timeout=patience.MILLISECONDS)
    theirs.press("End")
    other.keyboard.type(" A lot.")
    expect(line(other, place)).to_contain_text("Saved", timeout=patience.MILLISECONDS)
    expect(line(page, place)).to_contain_text("Changed in another tab at", timeout=patience.MILLISECONDS)
    expect(field).to_have_value("The joint is open, and water comes in.")
    line(page, place).get_by_role("button", name="Take over").click()
    expect(field).to_have_value("The joint is open, and water comes in. A lot.")
    assert kept().endswith("A lot.")


def test_what_was_typed_last_is_what_is_sent(desk: Desk, told: list[Told], town: Town) -> None:
    page, place = desk.page, f"case.{told[0].case}.message"
    desk.open(f"/case?id={told[0].case}&tab=Messages")
    field = page.get_by_role("textbox", name="Message")
    field.click(timeout=patience.MILLISECONDS)
    page.keyboard.type("Sent at once, to the last word.")
    expect(line(page, place)).to_contain_text("Saved", timeout=patience.MILLISECONDS)
    other = page.context.new_page()
    other.goto(page.url)
    theirs = other.get_by_role("textbox", name="Message")
    expect(theirs).to_have_value("Sent at once, to the last word.", timeout=patience.MILLISECONDS)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".ed-talk")).to_contain_text(
        "Sent at once, to the last word.", timeout=patience.MILLISECONDS
    )
    expect(field).to_have_value("", timeout=patience.MILLISECONDS)
    expect(line(other, place)).to_contain_text(
        "What stood here was used in another tab", timeout=patience.MILLISECONDS
    )
    other.get_by_role("button", name="Send").click()
    expect(other.get_by_role("button", name="Continue anyway")).to_be_visible(timeout=patience.MILLISECONDS)
    other.close()
    page.reload()
    expect(field).to_have_value("", timeout=patience.MILLISECONDS)
    assert town.read(lambda s: unsent_text.find(s, town.as_staff("mia"), place=place)).body == ""
    said = select(func.count()).where(Message.body == "Sent at once, to the last word.")
    assert town.read(lambda s: s.scalar(said)) == 1

    field.click()  # longer than a line for readers, in three bytes a character: saved, loaded anew, and saved on
    page.keyboard.insert_text("屋根" * 2_600)
    expect(line(page, place)).to_contain_text("Saved", timeout=patience.MILLISECONDS)
    page.reload()
    expect(field).to_have_value("屋根" * 2_600, timeout=patience.MILLISECONDS)
    field.press("End")
    page.keyboard.type("です")
    expect(line(page, place)).to_contain_text("Saved", timeout=patience.MILLISECONDS)
    assert town.read(lambda s: unsent_text.find(s, town.as_staff("mia"), place=place)).body.endswith("です")


def test_an_ended_session_keeps_the_words_for_their_writer_and_for_nobody_else(
    desk: Desk, told: list[Told], owner: Database
) -> None:
    page, place = desk.page, f"case.{told[0].case}.reasons"
    desk.open(f"/case?id={told[0].case}")
    field = page.get_by_role("textbox", name="Reasons")
    field.click(timeout=patience.MILLISECONDS)
    with owner.transaction() as session:
        session.execute(text("update staff_sessions set revoked_at = now()"))
    page.keyboard.type("Words of Mia alone.")
    expect(line(page, place)).to_contain_text(
        "Could not be saved: you are signed out", timeout=patience.MILLISECONDS
    )
    assert len(stored(page)) == 1
    assert "Mia" not in "".join(stored(page))
    line(page, place).get_by_role("link", name="Sign in").click()

    desk.enter("Max Adler")
    expect(field).to_have_value("", timeout=patience.MILLISECONDS)
    desk.settle(f"D-{told[0].case}")
    assert "Words of Mia alone." not in page.content()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{desk.url}/case?id={told[0].case}")
    desk.enter("Mia Lund")
    expect(field).to_have_value("Words of Mia alone.", timeout=patience.MILLISECONDS)
    expect(line(page, place)).to_contain_text("Saved", timeout=patience.MILLISECONDS)
    assert stored(page) == []
    assert not [each for each in desk.troubles if "Content Security Policy" in each], desk.troubles


def stored(page: Page) -> list[str]:
    """What this tab keeps of words that are not saved."""
    found: list[str] = page.evaluate(
        "Object.entries(sessionStorage).filter(([name]) => name.includes('words')).map(([, kept]) => kept)"
    )
    return found


def test_the_plan_is_read_as_it_is_now_and_confirmed(
    desk: Desk, told: list[Told], town: Town, tmp_path: Path
) -> None:
    """In a browser a dialog draws itself anew with what it was opened with; AppTest draws the whole page."""
    page, case = desk.page, told[0]
    cited = {f"cites-{each.value}": True for each in Reference}
    content = {"outcome": "FULL_RELEASE", "ground": "WORK_DELIVERED", "reasons": builders.REASONS, **cited}
    town.act(drafts.save, town.as_staff("mia"), case_id=case.case, content=content)
    desk.open(f"/case?id={case.case}")
    page.get_by_role("button", name="Preview plan").click(timeout=patience.MILLISECONDS)
    confirm = page.get_by_role("dialog").get_by_role("button", name="Confirm decision")
    expect(confirm).to_be_visible(timeout=patience.MILLISECONDS)
    town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(tmp_path / "home"),
        milestone_id=case.milestone,
        file_name="late.txt",
        content=b"Late.",
    )
    confirm.click()
    page.get_by_role("button", name="Read the current plan").click(timeout=patience.MILLISECONDS)
    expect(page.get_by_role("button", name="Read the current plan")).to_have_count(
        0, timeout=patience.MILLISECONDS
    )
    confirm.click()
    expect(page.get_by_text("Decided and posted.")).to_be_visible(timeout=patience.MILLISECONDS)
