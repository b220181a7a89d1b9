"""The rule map resolves, the rules stay pure, and every refusal can be read."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import core
import core.rules
from core.errors import ChangedMeanwhile, DeskError
from core.rules import RULES, Rule

ROOT = Path(core.__file__).parent
MODULES = sorted(Path(core.rules.__file__).parent.glob("*.py"))
PURE = {"core.rules", "core.policy", "core.money", "core.errors"}
IMPURE = {
    "sqlalchemy",
    "psycopg",
    "stripe",
    "requests",
    "socket",
    "os",
    "random",
    "time",
    "pathlib",
    "subprocess",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_of_the_map_is_a_function_with_a_source(rule: Rule) -> None:
    assert callable(rule.resolve())
    assert rule.source.startswith(("milestone-payment-flow, ", "payment-escrow-rules, ", "internal policy"))


def test_no_rule_is_named_twice() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_rule_knows_nothing_of_databases_networks_or_clocks(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] not in IMPURE, name
            assert not name.startswith("core.") or any(
                name == pure or name.startswith(f"{pure}.") for pure in PURE
            ), name
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today"}


def errors() -> Iterator[type[DeskError]]:
    for module in pkgutil.iter_modules(core.rules.__path__, "core.rules."):
        importlib.import_module(module.name)
    for name in ("core.clock", "core.policy"):
        importlib.import_module(name)
    waiting: list[type[DeskError]] = [DeskError]
    while waiting:
        kind = waiting.pop()
        yield kind
        waiting += kind.__subclasses__()


@pytest.mark.parametrize(
    "kind", sorted(errors(), key=lambda kind: kind.__qualname__), ids=lambda kind: kind.__name__
)
def test_the_docstring_of_an_error_is_a_sentence_for_the_operator(kind: type[DeskError]) -> None:
    assert kind.template()[0].isupper() or kind.template()[0] in "{“"
    assert kind.template().endswith((".", "?", "}")), kind.template()
    assert kind.code == kind.code.lower()


def raised() -> Iterator[tuple[str, int, str, set[str] | None]]:
    """Every `raise Name(keyword=…)` below core: where, and which facts it gives (None: it gives something else)."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = (
                    node.exc.func.id
                    if isinstance(node.exc.func, ast.Name)
                    else getattr(node.exc.func, "attr", "")
                )
                given = {keyword.arg for keyword in node.exc.keywords}
                plain = not node.exc.args and None not in given
                yield (
                    str(path.relative_to(ROOT)),
                    node.lineno,
                    name,
                    {str(fact) for fact in given} if plain else None,
                )


def test_every_raise_in_the_core_gives_its_message_the_facts_it_needs() -> None:
    kinds: dict[str, list[type[DeskError]]] = {}
    for kind in errors():
        if kind.__init__ is DeskError.__init__:
            kinds.setdefault(kind.__name__, []).append(kind)
    lacking = [
        f"{where}:{line} {name} lacks a fact of its message"
        for where, line, name, given in raised()
        if name in kinds and given is not None and not any(kind.fields() <= given for kind in kinds[name])
    ]
    assert lacking == []


def test_an_error_that_lacks_a_fact_is_a_mistake_in_the_program() -> None:
    with pytest.raises(TypeError, match="needs kind, what"):
        ChangedMeanwhile()


def test_the_message_is_the_first_paragraph_of_the_docstring_only() -> None:
    error = ChangedMeanwhile(kind="case", what="it was resolved")
    assert error.message.endswith("look at it again, then decide.")
    assert error.code == "changed_meanwhile"
    assert str(error) == error.message
