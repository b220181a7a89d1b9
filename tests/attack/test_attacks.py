"""The list of attacks names tests that there are, each of them in a sentence."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from scripts.attack import Verdicts
from tests.attack.attacks import Attack, attacks

ROOT = Path(__file__).resolve().parents[2]
ALL = tuple(attacks())


@cache
def functions_of(file: str) -> frozenset[str]:
    nodes = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    return frozenset(
        each.name for each in nodes if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    )


@pytest.mark.parametrize("attack", ALL, ids=lambda each: each.sentence)
def test_an_attack_is_a_sentence_and_its_tests_exist(attack: Attack) -> None:
    assert attack.sentence[0].isupper()
    assert attack.sentence.endswith(".")
    for test in attack.tests:
        file, _, name = test.partition("::")
        assert functions_of(file), test
        assert not name or name in functions_of(file), test


def test_one_failure_breaks_an_attack_and_what_did_not_run_is_not_held() -> None:
    held, broken, untried = (
        Attack("G", name, (f"{name}.py::test_a", f"{name}.py::test_b")) for name in "xyz"
    )
    whole = Attack("G", "all of a file", ("y.py",))
    said = Verdicts()
    for name in "xy":
        said.note(f"{name}.py::test_a[one]", "passed")
        said.note(f"{name}.py::test_b", "passed")
    said.note("y.py::test_a[two]", "failed")
    said.note("z.py::test_a", "passed")
    said.note("z.py::test_b", "skipped")
    assert [said.of(each) for each in (held, broken, untried, whole)] == [
        "held",
        "BROKEN",
        "not tried",
        "BROKEN",
    ]
    assert said.broken_by(broken) == ["y.py::test_a[two]"]
    assert said.of(Attack("G", "a longer name", ("x.py::test_a_longer",))) == "not tried"
