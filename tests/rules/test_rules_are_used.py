"""A rule that only tests ask is none: what the rule map names is called by the desk itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from core.rules import RULES

ROOT = Path(__file__).resolve().parents[2]


def names_used() -> set[str]:
    """Every name that the code uses, but for the rule map, which only lists them."""
    used: set[str] = set()
    for floor in ("core", "dashboard", "pages"):
        for path in (ROOT / floor).rglob("*.py"):
            if path == ROOT / "core" / "rules" / "__init__.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    used.add(node.id)
                elif isinstance(node, ast.Attribute):
                    used.add(node.attr)
    return used


USED = names_used()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_is_asked_by_the_desk_itself(rule) -> None:  # type: ignore[no-untyped-def]
    name = rule.resolve().__name__
    assert name in USED, f"nothing but tests calls {name}: use it, or point the rule at what is used"
