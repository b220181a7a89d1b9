"""docs/quickstart.md and docs/walkthrough.md as one program: their blocks in order, as they are written, in a shell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / name for name in ("quickstart.md", "walkthrough.md")]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT, RECEIVER = "8600", "9123"  # as the page has them


def script() -> str:
    """Every block in turn; a block of Python is a program of its own."""
    found = [block for page in PAGES for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
    shell = [text if kind == "sh" else f"python3 - <<'THE_END'\n{text}THE_END\n" for kind, text in found]
    return "set -euo pipefail\n" + "\n".join(shell)


def run(folder: Path, home: Path, *, port: int, receiver: int) -> subprocess.CompletedProcess[str]:
    """In `folder`, beside what a checkout has; only the two ports are other than on the page."""
    for name in (".venv", "client"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    text = script().replace(PORT, str(port)).replace(RECEIVER, str(receiver))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "ESCROW_DESK_HOME": str(home)}
    return subprocess.run(
        ["bash", "-c", text],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
    )
