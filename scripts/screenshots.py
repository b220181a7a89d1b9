"""A picture of every page of a running demo, wide and narrow, light and dark: `make screenshots`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from core.rules.permissions import TABLE, Role
from dashboard.navigation import ENTRIES
from tests.browser import arguments, find_browser

SIZES = ((1440, 900), (768, 1024))
SCHEMES = ("light", "dark")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=8600)
    options.add_argument("--out", type=Path, default=Path("build/screenshots"))
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments())
        for width, height in SIZES:
            for scheme in SCHEMES:
                for page, name in signed_in_pages(browser, given.port, (width, height), scheme):
                    target = given.out / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=target, full_page=True)
                    print(target)


def signed_in_pages(
    browser: Browser, port: int, size: tuple[int, int], scheme: str
) -> Iterator[tuple[Page, str]]:
    """Each page once, seen by the first role that may see it; the sign-in page first."""
    address, taken = f"http://127.0.0.1:{port}", set[str]()
    for role in Role:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{address}/sign-in")
        if not taken:
            yield page, "sign-in"
        page.locator("section", has=page.get_by_role("heading", name=role.value.capitalize())).locator(
            "button"
        ).first.click()
        page.wait_for_selector(IDLE)
        for entry in ENTRIES:
            if entry.hidden or entry.name in taken or role not in TABLE[entry.permission]:
                continue
            page.goto(f"{address}/{entry.name}")
            page.wait_for_selector(IDLE)
            page.wait_for_timeout(400)  # grids and charts draw themselves after the script has ended
            taken.add(entry.name)
            yield page, entry.name
        context.close()


if __name__ == "__main__":
    main()
