"""Where a desk's files lie: production under the state folder of its account, a demo in its own folder of the checkout.

Two places, so that nothing that starts, resets or cleans a demo ever meets evidence, keys and checkpoints of a desk.
"""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import DeskError

DEMO_HOME = Path(".escrow-desk")
MARK = "demo-home.json"
OF_A_DESK = ("keys", "evidence", "checkpoints")


class HomeMoved(DeskError):
    """A desk's home lies in {old}, the default of before; that is {new} now. Move it, or set ESCROW_DESK_HOME={old}."""


def production_home() -> Path:
    """`$XDG_STATE_HOME/escrow-desk`, else `~/.local/state/escrow-desk`."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base) / "escrow-desk"


def is_demos(home: Path) -> bool:
    """Whether a demo made what lies here. Before it left a mark, it left `demo.json`."""
    return any((home / name).is_file() for name in (MARK, "demo.json", "filling"))
