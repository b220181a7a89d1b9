"""How fast the dashboard's pages are, as ratios to a bare two-page Streamlit app in the same browser and the same run.

    python -m bench.pages                                  starts the desk of the environment's settings
    python -m bench.pages --desk http://127.0.0.1:8501     measures one that runs (a demo)

A switch is timed inside the browser, from the click on a link of the sidebar until the new title stands and the
script has ended. A first load is a fresh browser profile, from navigation to the same moment. Both apps take turns,
so noise of the machine meets both; the median of each is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

SWITCH_TARGET, LOAD_TARGET = 1.3, 1.5
FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
BARE = {
    "app.py": 'import streamlit as st\nst.set_page_config(layout="wide")\n'
    'st.navigation([st.Page("one.py", title="One"), st.Page("two.py", title="Two")]).run()\n',
    "one.py": 'import streamlit as st\nst.title("One")\nst.write("The first page.")\n',
    "two.py": 'import streamlit as st\nst.title("Two")\nst.write("The second page.")\n',
}
# Resolves with the milliseconds from the click to: the title is the wanted one, and the script has ended.
SWITCH = """([link, title]) => new Promise((done, fail) => {
  const app = document.querySelector('[data-testid=stApp]');
  const there = () => [...document.querySelectorAll('h1')].some(h => h.textContent.trim() === title)
    && app.dataset.testScriptState === 'notRunning';
  const begin = performance.now();
  const watch = new MutationObserver(() => { if (there()) { watch.disconnect(); done(performance.now() - begin) } });
  watch.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
  setTimeout(() => fail('no page after 20 s'), 20000);
  const links = [...document.querySelectorAll('[data-testid=stSidebarNavLink]')];
  links.find(a => a.textContent.trim().endsWith(link)).click();
})"""
READY = """title => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && [...document.querySelectorAll('h1')].some(h => h.textContent.trim() === title)"""


@dataclass(frozen=True)
class App:
    """One of the two: where it is, two of its pages (name in the sidebar, title on the page), and how to get in."""

    url: str
    pages: tuple[tuple[str, str], tuple[str, str]]
    cookies: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Measure:
    """Medians in milliseconds, and their ratio."""

    name: str
    desk_ms: float
    bare_ms: float
    target: float

    @property
    def ratio(self) -> float:
        return self.desk_ms / self.bare_ms


def measure(browser: Browser, desk: App, bare: App, *, switches: int, loads: int) -> list[Measure]:
    """Both apps in turn, in one browser."""
    load: dict[str, list[float]] = {app.url: [] for app in (desk, bare)}
    for _ in range(loads):
        for app in (desk, bare):
            load[app.url].append(first_load(browser, app))
    switch: dict[str, list[float]] = {app.url: [] for app in (desk, bare)}
    open_pages = {app.url: _opened(_context(browser, app), app) for app in (desk, bare)}
    for turn in range(switches + 2):
        for app in (desk, bare):
            link, title = app.pages[(turn + 1) % 2]
            took = open_pages[app.url].evaluate(SWITCH, [link, title])
            if turn >= 2:  # the first two warm the browser's code
                switch[app.url].append(took)
    return [
        Measure("page switch", median(switch[desk.url]), median(switch[bare.url]), SWITCH_TARGET),
        Measure("first load", median(load[desk.url]), median(load[bare.url]), LOAD_TARGET),
    ]


def first_load(browser: Browser, app: App) -> float:
    context = _context(browser, app)
    begin = time.perf_counter()
    _opened(context, app)
    took = (time.perf_counter() - begin) * 1000
    context.close()
    return took


def _context(browser: Browser, app: App) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    if app.cookies:
        context.add_cookies(list(app.cookies))  # type: ignore[arg-type]
    return context


def _opened(context: BrowserContext, app: App) -> Page:
    page = context.new_page()
    page.goto(app.url, wait_until="commit")
    page.wait_for_function(READY, arg=app.pages[0][1], polling="raf", timeout=30_000)
    return page


@contextmanager
def bare_app() -> Iterator[App]:
    """The yardstick: `streamlit run` on two pages of two lines."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in BARE.items():
            (Path(folder) / name).write_text(source, encoding="utf-8")
        port = free_port()
        options = [
            "--server.headless=true",
            "--browser.gatherUsageStats=false",
            "--server.fileWatcherType=none",
        ]
        command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", *options]
        with running(command, folder, f"http://127.0.0.1:{port}/_stcore/health"):
            yield App(f"http://127.0.0.1:{port}/", (("One", "One"), ("Two", "Two")))


@contextmanager
def running(command: list[str], folder: str, health: str) -> Iterator[None]:
    """A server process while the block runs."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(health, timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def desk_app(url: str | None) -> Iterator[App]:
    """The desk at `url`, or one of our own; signed in as the first mediator of the demo."""
    if url:
        yield signed_in(url.rstrip("/"))
        return
    port = free_port()
    root = str(Path(__file__).resolve().parent.parent)
    command = [sys.executable, "-m", "dashboard.server", "--port", str(port)]
    with running(command, root, f"http://127.0.0.1:{port}/healthz"):
        yield signed_in(f"http://127.0.0.1:{port}")


def signed_in(url: str, role: str = "Mediator") -> App:
    """Picks the first person of the role on the demo's sign-in page."""
    from http.cookiejar import CookieJar

    jar = CookieJar()
    web = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), _Stay())
    page = web.open(f"{url}/sign-in").read().decode()
    staff = page.partition(f"<h2>{role}</h2>")[2].partition('name="staff" value="')[2].partition('"')[0]
    web.open(
        urllib.request.Request(f"{url}/sign-in", data=f"staff={staff}".encode(), headers={"Origin": url})
    )
    cookies = tuple({"name": each.name, "value": each.value or "", "url": url} for each in jar)
    return App(f"{url}/disputes", (("Disputes", "Disputes"), ("Projects", "Projects")), cookies)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow: the cookie is what we came for."""

    def http_error_303(self, request: Any, answer: Any, *_: Any) -> Any:
        return answer


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def find_browser() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("ESCROW_DESK_BROWSER") or next(filter(None, map(shutil.which, names)), None)


def run(url: str | None = None, *, switches: int = 24, loads: int = 7) -> list[Measure]:
    """Measure and return; used by `escrow-desk bench`."""
    with sync_playwright() as playwright, bare_app() as bare, desk_app(url) as desk:
        flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=find_browser(), args=flags)
        try:
            return measure(browser, desk, bare, switches=switches, loads=loads)
        finally:
            browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--desk", help="address of a running demo")
    parser.add_argument("--switches", type=int, default=24)
    parser.add_argument("--loads", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    results = run(asked.desk, switches=asked.switches, loads=asked.loads)
    if asked.json:
        print(json.dumps([asdict(result) | {"ratio": round(result.ratio, 3)} for result in results]))
        return
    for result in results:
        met = "met" if result.ratio <= result.target else "MISSED"
        print(
            f"{result.name:12} desk {result.desk_ms:7.0f} ms   bare {result.bare_ms:7.0f} ms   "
            f"ratio {result.ratio:.2f}   target ≤ {result.target} ({met})"
        )


if __name__ == "__main__":
    main()
