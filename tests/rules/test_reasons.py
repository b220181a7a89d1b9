"""One check of a reason: the same wherever a person is asked for one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ReasonMissing, ReasonTooLong
from core.rules.reasons import LONGEST, given

ACTIONS = Path(__file__).parents[2] / "core" / "actions"


@pytest.mark.parametrize("nothing", ["", "  \n", "\u200b\u2060", "\u00ad", "\u3164", "\u2800\u2800"])
def test_what_nobody_sees_is_no_reason(nothing: str) -> None:
    with pytest.raises(ReasonMissing):
        given(nothing)


def test_a_reason_is_kept_without_the_blanks_around_it() -> None:
    assert given("  The bank called.\n") == "The bank called."


def test_a_reason_has_a_length() -> None:
    assert len(given("x" * LONGEST + "  ")) == LONGEST
    with pytest.raises(ReasonTooLong, match="10,001"):
        given("x" * (LONGEST + 1))


def asked_for() -> Iterator[tuple[str, ast.FunctionDef, ast.Module]]:
    """Every public action that cannot be called without a reason."""
    for path in sorted(ACTIONS.rglob("*.py")):
        module = ast.parse(path.read_text())
        for each in module.body:
            if isinstance(each, ast.FunctionDef) and not each.name.startswith("_"):
                required = dict(zip(each.args.kwonlyargs, each.args.kw_defaults, strict=True))
                names = {
                    arg.arg
                    for arg, default in required.items()
                    if default is None and arg.annotation and ast.unparse(arg.annotation) == "str"
                }
                if "reason" in names and any(arg.arg == "actor" for arg in each.args.args):
                    yield f"{path.relative_to(ACTIONS)}:{each.name}", each, module


def checks(function: ast.FunctionDef, module: ast.Module) -> bool:
    """By itself, or by what it calls in its own module."""
    own = {each.name: each for each in module.body if isinstance(each, ast.FunctionDef)}
    called = {
        node.func.id
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return "given" in called or any(
        checks(own[name], module) for name in called & (own.keys() - {function.name})
    )


def test_every_action_that_asks_for_a_reason_checks_it() -> None:
    found = list(asked_for())
    assert len(found) > 15
    assert [name for name, function, module in found if not checks(function, module)] == []


def test_a_reason_is_checked_in_one_place() -> None:
    raising = [
        path
        for path in ACTIONS.parents[1].joinpath("core").rglob("*.py")
        if "raise ReasonMissing" in path.read_text()
    ]
    assert [path.name for path in raising] == ["reasons.py"]
