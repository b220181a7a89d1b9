"""docs/rules.md from the rule map: rule, the line it comes from, the function that holds it, the tests that prove it.

python -m scripts.rules            writes the table
python -m scripts.rules --check    exits with 1 when the table is not what it would write
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

from core.rules import RULES, Rule
from tests.rule_coverage import PROOFS, test_of

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "rules.md"
HEAD = """# The rules

Made by `python -m scripts.rules` from the rule map in `core/rules/__init__.py` and the proofs in
`tests/rule_coverage.py`. A test holds them together: every rule has a function, a line it comes from and a test;
every line of the two specifications has a rule (`tests/rules/test_spec_lines.py`); and a test that is named here
fails when it does not call the function beside it.

| rule | where it comes from | function | tests |
|---|---|---|---|
"""


def table() -> str:
    return HEAD + "".join(_line(rule) for rule in RULES)


def _line(rule: Rule) -> str:
    function = f"`core.{rule.function.replace(':', '.')}`"
    return f"| {rule.name} | {rule.source} | {function} | {'<br>'.join(map(_proof, PROOFS.get(rule.name, ())))} |\n"


def _proof(proof: str) -> str:
    path = test_of(proof).partition("::")[0]
    place, _, sentence = proof.partition(": ")
    words, _, parameters = sentence.partition(" [")
    return f"[{place}](../{path}) {words}" + (f" ({parameters.rstrip('-')} …)" if parameters else "")


def untested() -> list[str]:
    """The rules that no test proves."""
    return [rule.name for rule in RULES if not PROOFS.get(rule.name)]


def lost() -> list[str]:
    """Proofs of rules that there are not, and tests that there are not."""
    strangers = sorted(PROOFS.keys() - {rule.name for rule in RULES})
    named = {test_of(proof).partition("[")[0] for proofs in PROOFS.values() for proof in proofs}
    return strangers + sorted(test for test in named if test.partition("::")[2] not in _tests(test))


def _tests(test: str) -> frozenset[str]:
    return _defined_in(ROOT / test.partition("::")[0])


@cache
def _defined_in(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def main() -> int:
    wanted = table()
    if "--check" not in sys.argv:
        TABLE.write_text(wanted, encoding="utf-8")
        return 0
    return 0 if TABLE.exists() and TABLE.read_text(encoding="utf-8") == wanted else 1


if __name__ == "__main__":
    raise SystemExit(main())
