"""Each action is called past the pages by everybody who may not: it refuses before it looks at anything.

Found in the code: every action that begins with `require(actor, Permission.…)`. All its other arguments are missing, so
an action that looked first would fail otherwise than by the refusal.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.rules.permissions import SYSTEM, TABLE, Actor, NotPermitted, Permission, Role, allowed
from tests.builders import NOW

ACTIONS = Path(__file__).resolve().parents[2] / "core" / "actions"
EVERYBODY = [
    *(Actor("staff", 1, frozenset({role}), authenticated_at=NOW, session_id=7) for role in Role),
    Actor("staff", 1, frozenset(), authenticated_at=NOW, session_id=7),
    Actor("party", 1),
    SYSTEM,
    Actor("operator", None, via="root"),
]


def beginning() -> Iterator[tuple[str, str, Permission]]:
    """Each action that begins by asking for one permission, and which."""
    for path in sorted(ACTIONS.rglob("*.py")):
        module = ".".join(path.relative_to(ACTIONS).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or "actor" not in ast.unparse(node.args):
                continue
            first = next((each for each in node.body if not _is_docstring(each)), None)
            asked = ast.unparse(first) if first else ""
            if asked.startswith("require(actor, Permission."):
                yield module, node.name, Permission[asked.split("Permission.")[1].split(",")[0].rstrip(")")]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


FOUND = list(beginning())


def test_most_actions_begin_with_the_question_who_may() -> None:
    assert len(FOUND) >= 60
    assert {permission for _, _, permission in FOUND} >= {
        Permission.DECIDE_BANK_CHANGE,
        Permission.MANAGE_STAFF,
        Permission.RELEASE_HOLD,
        Permission.WRITE_OFF_DEBT,
    }


@pytest.mark.parametrize(("module", "name", "permission"), FOUND)
def test_an_action_refuses_every_role_that_may_not(module: str, name: str, permission: Permission) -> None:
    action = getattr(importlib.import_module(f"core.actions.{module}"), name)
    parameters = inspect.signature(action).parameters
    may_not = [each for each in EVERYBODY if not allowed(each, permission)]
    assert len(may_not) >= len(Role) - len(TABLE[permission])
    for actor in may_not:
        given: dict[str, Any] = {each: {"actor": actor, "now": NOW}.get(each) for each in parameters}
        with pytest.raises(NotPermitted):
            action(**given)
