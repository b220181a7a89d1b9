"""Seeds of faults (`make faults`, docs/reliability.md), in a process without threads: their steps are forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 20


def faults(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.seeded_faults", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_law_holds_whatever_is_cut_and_whoever_is_killed() -> None:
    lived = faults("--seeds", str(SEEDS))
    assert lived.returncode == 0, lived.stdout + lived.stderr[-4000:]
    assert f"{SEEDS} seeds, 0 with a broken law" in lived.stdout


def test_a_mistake_of_our_own_is_found() -> None:
    """A seed that cannot fail would prove nothing."""
    lived = faults("--seeds", "10", "--mutants", "no look-up before sending again")
    assert lived.returncode == 0, lived.stdout + lived.stderr[-4000:]
    assert "1 of 1 mutants were found" in lived.stdout
