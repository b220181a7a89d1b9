"""Folders of our own. Those of others keep the modes they have."""

from __future__ import annotations

from pathlib import Path

PASSABLE = 0o711  # a folder of ours that the lent account passes through without listing it


def make_folder(folder: Path, mode: int) -> None:
    """Make it with exactly this mode whatever the umask; one that is already there keeps its own."""
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
