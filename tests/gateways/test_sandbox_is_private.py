"""What the sandbox keeps holds customers' data: it is for its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

from core.gateways.stripe_sandbox.store import Store


def test_only_its_owner_reads_what_the_sandbox_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir(mode=0o755)
    Store(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
