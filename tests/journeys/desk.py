"""A demo as a newcomer starts it, and a person in front of it with a browser."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect
from sqlalchemy import text

from core.config import Settings
from core.db import Database
from core.demo import settings_file
from core.demo.run import free_port
from tests import page_at_rest, patience

ROOT = Path(__file__).resolve().parents[2]
SCALE = "0.05"  # of the demo's stories: every kind at least once
PATIENCE = patience.MILLISECONDS
PICTURES = os.environ.get("ESCROW_DESK_PICTURES", "")
expect.set_options(timeout=PATIENCE)


@dataclass
class Demo:
    """One that runs. `home` holds its log of Stripe calls, its mail, its settings."""

    home: Path
    settings: Settings
    database: Database

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.database.reading() as session:
            return [dict(row) for row in session.execute(text(sql), values).mappings()]

    def one(self, sql: str, **values: Any) -> Any:
        (row,) = self.rows(sql, **values)
        return next(iter(row.values())) if len(row) == 1 else row

    def calls(self, op: str) -> list[dict[str, Any]]:
        """What Stripe was asked to do under this operation id, from the sandbox's request log."""
        log = self.home / "stripe-sandbox" / "stripe-sandbox.jsonl"
        lines = (json.loads(line) for line in log.read_bytes().splitlines())
        return [
            each
            for each in lines
            if each["method"] == "POST" and (each["body"].get("metadata") or {}).get("op") == op
        ]


@contextmanager
def a_demo() -> Iterator[Demo]:
    """`escrow-desk demo` in a folder of its own, stopped by Ctrl-C. ESCROW_DESK_JOURNEY_HOME names one that runs."""
    if running := os.environ.get("ESCROW_DESK_JOURNEY_HOME"):
        with _opened(Path(running)) as demo:
            yield demo
        return
    home = Path(tempfile.mkdtemp(prefix="escrow-desk-journey-"))
    home.chmod(0o711)
    port = free_port()
    command = [sys.executable, "-m", "core.cli", "demo", "--port", str(port), "--scale", SCALE]
    environment = {**os.environ, "ESCROW_DESK_HOME": str(home)}
    with (home / "demo.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            await_ready(port, process, home / "demo.log")
            with _opened(home) as demo:
                yield demo
        finally:
            process.send_signal(signal.SIGINT)
            ended = process.wait(timeout=60)
    assert ended == 0, (home / "demo.log").read_text()[-2_000:]
    subprocess.run(["rm", "-rf", str(home)], check=True)


@contextmanager
def _opened(home: Path) -> Iterator[Demo]:
    settings = settings_file.running(Settings(home=home, database_url=""))
    database = Database(settings.auditor_url, pool_size=1)
    try:
        yield Demo(home, settings, database)
    finally:
        database.dispose()


def await_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = monotonic() + 900
    while monotonic() < until:
        assert process.poll() is None, log.read_text()[-2_000:]
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        sleep(0.2)
    raise AssertionError(log.read_text()[-2_000:])


def until(happened: Any, *, within: float = patience.SECONDS) -> Any:
    """What a worker does by itself, looked at until it is done; returns what `happened` said."""
    end = monotonic() + within
    while not (found := happened()):
        assert monotonic() < end, "it did not happen in time"
        sleep(0.2)
    return found


@dataclass
class Person:
    """Someone at the desk, who waits until the page stands still before the next thing."""

    demo: Demo
    page: Page
    troubles: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)

    def sign_in(self, name: str, *, arriving: str) -> None:
        self.page.goto(self.demo.url)
        self.page.get_by_role("button", name=name).click()
        self.arrive(arriving)

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_text("Choose who you are today")).to_be_visible(timeout=PATIENCE)

    def arrive(self, title: str) -> None:
        heading = self.page.get_by_role("heading", name=re.compile(f"^{re.escape(title)}"), level=1)
        expect(heading).to_be_visible(timeout=PATIENCE)
        self.settle()

    def settle(self) -> None:
        """What was asked for has run, and is drawn."""
        page_at_rest.settle(self.page, patience=PATIENCE)

    def go(self, page: str) -> None:
        self.page.get_by_test_id("stSidebar").get_by_role("link", name=page, exact=True).click()
        self.arrive(page)

    def press(self, label: str, *, inside: Locator | None = None) -> None:
        # Its icon before it and its key after it, where it has them, are read out too.
        named = re.compile(rf"(^|\s){re.escape(label)}(\sShortcut\s\S+)?$")
        (inside or self.page).get_by_role("button", name=named).first.click()
        self.settle()

    def tab(self, name: str) -> None:
        """One click is enough, whatever the page is doing: a tab that is not chosen by it is the page's fault."""
        tab = self.page.get_by_role("tab", name=re.compile(f"^{re.escape(name)}")).first
        tab.click()
        self.settle()
        expect(tab).to_have_attribute("aria-selected", "true")

    def open_case(self, case: int) -> None:
        """By its address, as from a colleague's message."""
        self.page.goto(f"{self.demo.url}/case?id={case}")
        self.arrive(f"D-{case}")

    def queue(self) -> Locator:
        return self.page.get_by_role("table", name=re.compile("^Cases"))

    def panel(self) -> Locator:
        """The right side of a case: the decision, in whatever state it is."""
        return self.page.locator(".st-key-case-panel")

    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def choose(self, name: str, *, inside: Locator | None = None) -> None:
        """One of a row of choices."""
        (inside or self.page).get_by_role("radio", name=name, exact=True).first.click()
        self.settle()

    def tick(self, name: str, *, inside: Locator | None = None) -> None:
        """A box; it is ticked when the page has answered."""
        box = (inside or self.page).get_by_test_id("stCheckbox").filter(has_text=name).first
        box.locator("label").first.click()
        self.settle()
        expect(box.get_by_role("checkbox")).to_be_checked()

    def pick(self, label: str, option: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
        """From a list that opens; opened once more where the page was drawn anew just then."""
        field = (inside or self.page).get_by_role("combobox", name=label)
        choice = self.page.get_by_role("option", name=option).first
        self.settle()
        for _ in range(3):
            field.click()
            with suppress(TimeoutError):
                choice.click(timeout=5_000)
                break
        self.settle()

    def write(self, label: str | re.Pattern[str], words: str, *, inside: Locator | None = None) -> None:
        """Into a field, and on to the next, as typing hands it over."""
        field = (inside or self.page).get_by_role("textbox", name=label).first
        field.fill(words)
        field.press("Tab")
        self.settle()

    def told(self, words: str) -> None:
        """What the desk says after something was done."""
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE)
        self.settle()

    def picture(self, name: str) -> None:
        """Kept where ESCROW_DESK_PICTURES says (`make screenshots`); nothing otherwise."""
        if not PICTURES:
            return
        from scripts.screenshots import keep, when_still

        self.settle()
        keep(Path(PICTURES) / f"{name}.png", when_still(self.page))

    def main(self) -> str:
        return self.page.get_by_test_id("stMain").inner_text()

    def reads(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_test_id("stMain")).to_contain_text(words, timeout=PATIENCE)

    def grid(self, number: int = 0) -> Locator:
        return self.page.get_by_test_id("stDataFrame").nth(number)

    def cells(self, number: int = 0) -> list[list[str]]:
        """What a screen reader finds in a grid, which is painted for everyone else."""
        rows = self.grid(number).locator("table tr")
        read = rows.evaluate_all("rows => rows.map(row => [...row.children].map(cell => cell.innerText))")
        return [list(each) for each in read]


@contextmanager
def a_person(demo: Demo, browser: Browser) -> Iterator[Person]:
    """A tab of a fresh browser in which every error and every foreign address is noted."""
    context = browser.new_context(viewport={"width": 1440, "height": 1200}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page_at_rest.listen(page)
    person = Person(demo, page)
    own = urlsplit(demo.url).netloc
    page.on("pageerror", lambda error: person.troubles.append(str(error)))
    page.on(
        "request",
        lambda asked: person.foreign.add(asked.url) if urlsplit(asked.url).netloc not in (own, "") else None,
    )
    try:
        yield person
    finally:
        context.close()
