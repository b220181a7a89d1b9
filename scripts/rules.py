"""docs/rules.md from the rule map: rule, where it comes from, the function that holds it.

python -m scripts.rules            writes the table
python -m scripts.rules --check    exits with 1 when the table is not what it would write
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from core.rules import RULES, Rule

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "rules.md"
HEAD = """# The rules

Made by `python -m scripts.rules` from the rule map in `core/rules/__init__.py`; a test holds the two together and finds
each function named in a test.

| rule | where it comes from | function |
|---|---|---|
"""


def table() -> str:
    return HEAD + "".join(
        f"| {rule.name} | {rule.source} | `core.{rule.function.replace(':', '.')}` |\n" for rule in RULES
    )


def untested() -> list[str]:
    """The rules whose function no test calls by its name."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    return [rule.name for rule in RULES if not any(_named(rule).search(text) for text in texts)]


def _named(rule: Rule) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(rule.function.partition(':')[2])}\b")


def main() -> int:
    wanted = table()
    if "--check" not in sys.argv:
        TABLE.write_text(wanted, encoding="utf-8")
        return 0
    return 0 if TABLE.exists() and TABLE.read_text(encoding="utf-8") == wanted else 1


if __name__ == "__main__":
    raise SystemExit(main())
