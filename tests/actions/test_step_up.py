"""What asks for a fresh sign-in asks for it in the action, whichever action it is: found in the code and tried."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.policy import STEP_UP_WITHIN
from core.rules.permissions import FRESH, TABLE, Actor, Permission, Role, StepUpRequired, require
from tests.builders import NOW

ACTIONS = Path(__file__).resolve().parents[2] / "core" / "actions"


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ACTIONS).with_suffix("").parts)


PAGES = ACTIONS.parents[1] / "dashboard"
MODULES = {path.stem: _dotted(path) for path in ACTIONS.rglob("*.py")}
STALE = Actor(
    "staff", 1, frozenset(Role), authenticated_at=NOW - STEP_UP_WITHIN - timedelta(seconds=1), session_id=7
)
# What must never lose it, named once more by hand: who dropped the declaration is found as well.
KNOWN = {
    "chargebacks.chargeback_acceptance.accept",
    "chargebacks.chargeback_evidence.submit",
    "debts.set_offs.set_off",
    "decisions.approvals.approve",
    "decisions.approvals.send_back",
    "decisions.approvals.withdraw",
    "decisions.confirmation.confirm",
    "decisions.corrections.close_correction",
    "funding.settlement_currency.confirm",
    "milestones.legal_checklist.sign",
    "milestones.legal_checklist.withdraw",
    "platform.client_funds.release",
    "operations.operation_retry.retry",
    "reconciliation.suspense.approve",
    "operations.webhook_retry.retry",
    "payouts.method_offers.offer",
    "payouts.method_offers.withdraw",
    "payouts.payout_review.retry",
    "refunds.outside_refunds.approve",
    "risk.hold_lifts.approve",
    "risk.hold_lifts.propose",
    "risk.hold_lifts.reject",
    "risk.holds.lift",
    "risk.payee_holds.lift",
    "risk.reports.settle",
    "risk.risk_reviews.settle",
    "staff.install.add_staff",
    "staff.skills.change",
    "staff.ties.declare_tie",
    "staff.members.opened",
    "staff.invitations.call_off",
    "staff.invitations.invite",
    "staff.policy_change.approve",
    "staff.policy_change.reject",
    "staff.sessions.revoke",
}


def asking() -> Iterator[tuple[str, str]]:
    """Each action that requires such a permission."""
    for path in sorted(ACTIONS.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                required = [
                    ast.unparse(each)
                    for each in ast.walk(node)
                    if isinstance(each, ast.Call)
                    and ast.unparse(each.func) in ("require", "permissions.require", "require_decider")
                ]
                if any(each.startswith("require_decider") for each in required) or any(
                    re.search(rf"Permission\.{wanted.name}\b", each) for each in required for wanted in FRESH
                ):
                    yield _dotted(path), node.name


FOUND = list(asking())


def test_no_action_has_lost_its_requirement() -> None:
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


def test_whatever_a_page_asks_a_fresh_sign_in_for_its_action_asks_for_as_well() -> None:
    """A button with `money=True` asks in the browser; whoever calls the action otherwise is asked by its door."""
    doors = {(f"core.actions.{module}", name) for module, name in FOUND}
    carried = set[str]()
    for path in sorted(PAGES.rglob("*.py")):
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef):
                carried |= set(_carried_out(function))
    asked = {_action(each) for each in carried if each.partition(".")[0] in MODULES}
    assert len(asked) >= 10
    assert asked <= doors


def _action(called: str) -> tuple[str, str]:
    """Where the action is defined that a page calls as `approvals.approve`."""
    module, _, name = called.partition(".")
    action = getattr(importlib.import_module(f"core.actions.{MODULES[module]}"), name)
    return action.__module__, action.__name__


def _carried_out(function: ast.FunctionDef) -> Iterator[str]:
    """What this function carries out for a button that asks."""
    nodes = list(ast.walk(function))
    pressed = [each for each in nodes if isinstance(each, ast.Assign) and _asks(each)]
    named = {ast.unparse(target) for each in pressed for target in each.targets}
    for each in nodes:
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "confirm.carry_out":
            intent, action = each.args[:2]
            if ast.unparse(intent) in named and isinstance(action, ast.Lambda):
                yield from (ast.unparse(node.func) for node in ast.walk(action) if isinstance(node, ast.Call))


def _asks(each: ast.Assign) -> bool:
    return "confirm.pressed" in ast.unparse(each.value) and "money=True" in ast.unparse(each.value)


@pytest.mark.parametrize("permission", sorted(FRESH))
def test_an_action_refuses_whoever_signed_in_too_long_ago(permission: Permission) -> None:
    fresh = Actor("staff", 1, TABLE[permission], authenticated_at=NOW - STEP_UP_WITHIN)
    require(fresh, permission, NOW)
    with pytest.raises(StepUpRequired):
        require(STALE, permission, NOW)
    with pytest.raises(AssertionError):
        require(fresh, permission)  # an action cannot leave the question out
