"""Every attack on the desk that is known, played against desks of their own: held, or BROKEN.

python -m scripts.attack [--json] [--only GROUP] [-n WORKERS]      ends with 1 unless every attack was held

The list is `tests/attack/attacks.py`. Each attack is played by tests, on a database and a desk that they make and
remove; nothing that runs on this machine is touched.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.attack.attacks import Attack, attacks

ROOT = Path(__file__).resolve().parent.parent
HELD, BROKEN, NOT_TRIED = "held", "BROKEN", "not tried"


class Verdicts:
    """What became of each test, from which follows what became of each attack."""

    def __init__(self) -> None:
        self.outcomes = defaultdict[str, set[str]](set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.note(report.nodeid, report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.note(report.nodeid, "failed")

    def note(self, test: str, outcome: str) -> None:
        self.outcomes[test].add(outcome)

    def of(self, attack: Attack) -> str:
        """Held only where each of its tests ran and all of them passed."""
        played = [list(self._of(test)) for test in attack.tests]
        if any("failed" in outcomes for runs in played for _, outcomes in runs):
            return BROKEN
        passed = all(runs and all(outcomes == {"passed"} for _, outcomes in runs) for runs in played)
        return HELD if passed else NOT_TRIED

    def broken_by(self, attack: Attack) -> list[str]:
        found = (pair for test in attack.tests for pair in self._of(test))
        return sorted({name for name, outcomes in found if "failed" in outcomes})

    def _of(self, test: str) -> Iterable[tuple[str, set[str]]]:
        file = test.partition("::")[0]
        for name, outcomes in self.outcomes.items():
            if name in (test, file) or name.startswith((f"{test}[", f"{test}::")):
                yield name, outcomes


def play(wanted: Iterable[Attack], *, workers: str) -> Verdicts:
    tests = sorted({test for attack in wanted for test in attack.tests})
    said = Verdicts()
    options = [f"--rootdir={ROOT}", "-q", "-p", "no:cacheprovider", "-n", workers, "--dist", "loadfile"]
    with contextlib.redirect_stdout(sys.stderr):  # what pytest says; the verdicts alone go to the output
        pytest.main([*options, *tests], plugins=[said])
    return said


def main() -> int:
    asked = argparse.ArgumentParser(description="Play every known attack on the desk.")
    groups = sorted({each.group for each in attacks()})
    asked.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    asked.add_argument("--only", choices=groups, action="append", help="this group of attacks alone")
    asked.add_argument("-n", dest="workers", default="2", help="how many are played side by side")
    options = asked.parse_args()
    wanted = [each for each in attacks() if not options.only or each.group in options.only]
    said = play(wanted, workers=options.workers)
    told: list[dict[str, object]] = [
        {
            "group": each.group,
            "attack": each.sentence,
            "verdict": said.of(each),
            "broken_by": said.broken_by(each),
        }
        for each in wanted
    ]
    sys.stdout.write(json.dumps(told, indent=2) + "\n" if options.json else table(told))
    return int(any(each["verdict"] != HELD for each in told))


def table(told: list[dict[str, object]]) -> str:
    lines = []
    for each in told:
        lines.append(f"{each['verdict']!s:9}  {each['group']!s:9}  {each['attack']}")
        lines += [f"{'':22} by {test}" for test in each["broken_by"]]  # type: ignore[attr-defined]
    count = sum(each["verdict"] == HELD for each in told)
    return "\n".join([*lines, f"{count} of {len(told)} attacks held.", ""])


if __name__ == "__main__":
    sys.exit(main())
