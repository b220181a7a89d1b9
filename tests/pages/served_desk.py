"""A desk served as a process of its own, and a tab of a real browser on it that notes what goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

from bench.pages import free_port
from core.embedded_postgres import Urls

ROOT = Path(__file__).resolve().parents[2]
SERVE = """
import sys
from pathlib import Path
from core.config import Settings
from dashboard import navigation, server
navigation.SCRIPTS = Path(sys.argv[1])
server.serve(Settings(), int(sys.argv[2]))
"""


@dataclass
class Desk:
    """A desk that is served, and a tab in which everything that goes wrong is noted."""

    url: str
    page: Page
    troubles: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def enter(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def settle(self, title: str) -> None:
        expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=30_000)
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=30_000)


@contextmanager
def serving(
    urls: Urls,
    browser: Browser,
    folder: Path,
    *,
    pages: Path = ROOT / "pages",
    width: int = 1440,
    height: int = 900,
) -> Iterator[Desk]:
    """A demo with these pages, and its home in `folder`."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": urls.app_url,
        "ESCROW_DESK_DEMO": "true",
        "ESCROW_DESK_HOME": str(folder / "home"),
        "STRIPE_API_KEY": "sk_test_x",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", SERVE, str(pages), str(port)]
    process = subprocess.Popen(command, cwd=folder, env=environment)
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        await_health(f"http://127.0.0.1:{port}/healthz")
        yield watched(Desk(f"http://127.0.0.1:{port}", context.new_page()))
    finally:
        context.close()
        process.terminate()
        process.wait(10)


def watched(desk: Desk) -> Desk:
    own = urlsplit(desk.url).netloc
    desk.page.on("console", lambda line: desk.troubles.append(line.text) if line.type == "error" else None)
    desk.page.on("pageerror", lambda error: desk.troubles.append(str(error)))
    desk.page.on(
        "request",
        lambda asked: desk.foreign.add(asked.url) if urlsplit(asked.url).netloc not in (own, "") else None,
    )
    return desk


def await_health(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)
