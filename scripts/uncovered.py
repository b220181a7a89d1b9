"""What no test reaches of the rules, the ledger and the actions: nothing, or what `uncovered.txt` explains.

python -m scripts.uncovered     reads the coverage data of the last run; 1: something is uncovered and unexplained

Each line of the table names a function, how many of its lines and branches no test reaches, and why. What is reached by
now must leave the table again.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_name("uncovered.txt")
FLOORS = ("core/rules", "core/ledger", "core/actions")


def missed() -> dict[str, dict[str, list[str]]]:
    """By file and function, what no test reached: `112` a line, `60→66` a branch of a line that was reached."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        wanted = ",".join(f"{floor}/*" for floor in FLOORS)
        command = [sys.executable, "-m", "coverage", "json", "-q", f"--include={wanted}", "-o", str(report)]
        subprocess.run(command, check=True, cwd=ROOT)
        files: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))["files"]
    return {file: _by_function(ROOT / file, found) for file, found in sorted(files.items())}


def _by_function(path: Path, found: Mapping[str, Any]) -> dict[str, list[str]]:
    lines = set(found["missing_lines"])
    places = [(line, str(line)) for line in sorted(lines)]
    places += [
        (at, f"{at}→{to if to > 0 else 'end'}") for at, to in found["missing_branches"] if to not in lines
    ]
    by_function: dict[str, list[str]] = {}
    functions = list(_functions(ast.parse(path.read_text(encoding="utf-8"))))
    for line, words in places:
        name = next((each for each, first, last in functions if first <= line <= last), "(module)")
        by_function.setdefault(name, []).append(words)
    return by_function


def _functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, int, int]]:
    """Each function with its first and last line, the innermost first."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            name = f"{within}{node.name}"
            yield from _functions(node, f"{name}.")
            if isinstance(node, ast.FunctionDef):
                yield name, node.lineno, node.end_lineno or node.lineno
        else:
            yield from _functions(node, within)


def explained() -> dict[str, tuple[int, str]]:
    """`file::function`, how many, and why."""
    rows = (
        line.split(maxsplit=2)
        for line in TABLE.read_text(encoding="utf-8").splitlines()
        if line[:1] not in ("", "#")
    )
    return {place: (int(many), why) for place, many, why in rows}


def main() -> int:
    table, off = explained(), 0
    counted = Counter(dict.fromkeys(table, 0))
    for file, functions in missed().items():
        for name, places in functions.items():
            place = f"{file}::{name}"
            counted[place] = len(places)
            many, why = table.get(place, (0, ""))
            if many != len(places):
                off += 1
                print(f"UNEXPLAINED  {place}: {', '.join(places)}" + (f" ({many} explained)" if many else ""))
            else:
                print(f"explained    {place}: {', '.join(places)}. {why}")
    for place in sorted(each for each, many in counted.items() if not many):
        off += 1
        print(f"REACHED NOW  {place}: take it out of {TABLE.name}")
    print(
        "not covered in core/rules, core/ledger, core/actions: "
        + (f"{off} unexplained" if off else "empty or explained")
    )
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
