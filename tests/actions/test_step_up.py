"""What asks for a fresh sign-in asks for it at the door, whichever action it is: found in the code and tried."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.policy import STEP_UP_WITHIN
from core.rules.permissions import FRESH, TABLE, Actor, Permission, Role, StepUpRequired, require
from tests.builders import NOW

ACTIONS = Path(__file__).resolve().parents[2] / "core" / "actions"
STALE = Actor(
    "staff", 1, frozenset(Role), authenticated_at=NOW - STEP_UP_WITHIN - timedelta(seconds=1), session_id=7
)
# What must never lose it, named once more by hand: who dropped the declaration is found as well.
KNOWN = {
    "decide.confirm",
    "second_person.approve",
    "second_person.send_back",
    "second_person.take_back",
    "correct.close_correction",
    "hold.lift",
    "risk.settle",
    "reports.settle",
    "suspense.confirm",
    "refund_returns.confirm",
    "payout_review.retry",
    "operations_review.retry",
    "answer_chargebacks.submit",
    "accept_chargebacks.accept",
    "policy_change.approve",
    "policy_change.reject",
    "legal_checklist.sign",
    "install.add_staff",
    "install.declare_tie",
    "sessions.revoke",
    "payout_offers.offer",
}


def asking() -> Iterator[tuple[str, str]]:
    """Each action whose door names such a permission."""
    for path in sorted(ACTIONS.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                doors = [
                    ast.unparse(each)
                    for each in ast.walk(node)
                    if isinstance(each, ast.Call) and ast.unparse(each.func) == "require"
                ]
                if any(f"Permission.{wanted.name}" in door for door in doors for wanted in FRESH):
                    yield path.stem, node.name


FOUND = list(asking())


def test_no_action_has_lost_its_door() -> None:
    assert {f"{module}.{name}" for module, name in FOUND} >= KNOWN


@pytest.mark.parametrize(("module", "name"), FOUND)
def test_a_stale_sign_in_is_refused_before_anything_is_looked_at(module: str, name: str) -> None:
    action = getattr(importlib.import_module(f"core.actions.{module}"), name)
    given: dict[str, Any] = {
        each.name: {"actor": STALE, "now": NOW}.get(each.name)
        for each in inspect.signature(action).parameters.values()
    }
    with pytest.raises(StepUpRequired):
        action(**given)


@pytest.mark.parametrize("permission", sorted(FRESH))
def test_the_door_refuses_whoever_signed_in_too_long_ago(permission: Permission) -> None:
    fresh = Actor("staff", 1, TABLE[permission], authenticated_at=NOW - STEP_UP_WITHIN)
    require(fresh, permission, NOW)
    with pytest.raises(StepUpRequired):
        require(STALE, permission, NOW)
    with pytest.raises(AssertionError):
        require(fresh, permission)  # an action cannot leave the question out
