"""Where a demo left what other commands need to find it: its settings, in one file that only its owner can read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from core.config import Settings
from core.demo import home as own_home
from core.errors import DeskError

FILE = "settings.json"


class NoDatabase(DeskError):
    """No database: set DATABASE_URL, or start the demo with `make demo` (looked for one in {home})."""


class DemoNotReady(DeskError):
    """The demo in {home} {state}. Try again when it has said where it is."""


def remember(home: Path, environment: dict[str, str]) -> None:
    path = home / FILE
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(environment, file)


def forget(home: Path) -> None:
    (home / FILE).unlink(missing_ok=True)


def running(found: Settings) -> Settings:
    """The settings of the demo that runs in `found.home`. Raises `DemoNotReady`, `NoDatabase`."""
    return Settings.model_validate(kept_fields(environment(found.home)))


def environment(home: Path) -> dict[str, str]:
    """The same as variables, for a process of its own. Raises `DemoNotReady`, `NoDatabase`."""
    try:
        kept: dict[str, str] = json.loads((home / FILE).read_text())
    except (OSError, ValueError):
        home = home.resolve()
        if own_home.in_use(home):
            raise DemoNotReady(home=home, state=own_home.progress(home)) from None
        raise NoDatabase(home=home) from None
    return kept


def kept_fields(environment: dict[str, str]) -> dict[str, str]:
    return {key.removeprefix("ESCROW_DESK_").lower(): value for key, value in environment.items()}
