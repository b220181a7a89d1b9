"""Which Chromium the tests drive."""

from __future__ import annotations

import os
import shutil

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """ESCROW_DESK_BROWSER, else one that is installed, else None: Playwright's own."""
    return os.environ.get("ESCROW_DESK_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


def arguments() -> list[str]:
    """Flags that keep a browser off the network and let root start it."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
