"""Which Chromium the tests drive."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """ESCROW_DESK_BROWSER, else one that is installed, else None: Playwright's own."""
    return os.environ.get("ESCROW_DESK_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
