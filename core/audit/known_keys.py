"""The fingerprints that this account of this machine has seen, one per desk, in the manner of known_hosts.

The file lies under the verifier's own home (`~/.config/escrow-desk/known_keys`), away from the desk's: whoever rewrites
the desk's database, checkpoints and keys does not reach what an auditor's account remembers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import DeskError


class NotRemembered(DeskError):
    """{path} cannot be written ({why}): the key is not remembered. Name it with --key next time."""


@dataclass(frozen=True)
class Known:
    """What is remembered of one desk."""

    fingerprint: str
    since: str


def file_of_this_account() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "escrow-desk" / "known_keys"


def known(ledger: str, path: Path | None = None) -> Known | None:
    """The key that this account has known for this desk."""
    for words in _lines(path or file_of_this_account()):
        if words[0] == ledger:
            return Known(words[1], words[2])
    return None


def remember(ledger: str, fingerprint: str, *, now: datetime, path: Path | None = None) -> Path:
    """From now on this is the desk's key for this account. Raises `NotRemembered`."""
    path = path or file_of_this_account()
    kept = [words for words in _lines(path) if words[0] != ledger]
    lines = [" ".join(words) for words in [*kept, [ledger, fingerprint, f"{now:%Y-%m-%d}"]]]
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_text("\n".join(lines) + "\n", encoding="ascii")
        draft.replace(path)
    except OSError as problem:
        raise NotRemembered(path=path, why=problem.strerror or problem) from None
    return path


def _lines(path: Path) -> list[list[str]]:
    try:
        content = path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return []
    return [words for line in content.splitlines() if len(words := line.split()) == 3]
