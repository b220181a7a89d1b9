"""The rules of the house that no single test of a floor would notice being broken."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path

import pytest

from core.rules import RULES
from scripts import rules

ROOT = Path(__file__).resolve().parent.parent
CODE = [path for name in ("core", "dashboard", "pages") for path in sorted((ROOT / name).rglob("*.py"))]
PAGES = sorted((ROOT / "pages").glob("*.py"))

MONEY = ("core/money.py", "core/policy/", "core/rules/", "core/ledger/", "core/actions/")
LONGEST_PAGE = 90

# (where, why): the sandbox is a world outside with its own store; the others keep no desk's data.
MAY_COMMIT = {
    "core/db.py": "the one place that opens and commits transactions",
    "core/gateways/stripe_sandbox/store.py": "the sandbox's own SQLite",
}
MAY_READ_THE_CLOCK = {
    "core/clock.py": "the clock",
    "core/cli/running.py": "an edge: the operator's command",
    "core/demo/run.py": "an edge: the day on which a demo is filled",
    "core/gateways/stripe_sandbox/engine.py": "the world outside has a clock of its own",
    "dashboard/oidc.py": "an edge: how old the provider's answer is",
    "dashboard/provider_sign_out.py": "a logout token is of just now, by the provider's clock",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def called(node: ast.AST) -> str:
    """`datetime.now(…)` → "datetime.now", `session.commit()` → "session.commit", `float(x)` → "float"."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def test_every_line_of_the_rule_map_resolves() -> None:
    assert [rule.name for rule in RULES if not callable(rule.resolve())] == []
    assert len(RULES) > 30


def test_transactions_are_committed_in_one_place() -> None:
    found = {
        name_of(path)
        for path in CODE
        for node in nodes(path)
        if called(node).endswith((".commit", ".begin_nested")) or called(node).endswith("session.begin")
    }
    assert found <= MAY_COMMIT.keys()
    assert "core/db.py" in found


@pytest.mark.parametrize("path", [path for path in CODE if name_of(path).startswith(MONEY)], ids=name_of)
def test_money_is_never_a_float(path: Path) -> None:
    for node in nodes(path):
        where = f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), where
        assert called(node) not in ("float", "round", "Decimal", "decimal.Decimal"), where
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            assert isinstance(getattr(node.right, "value", None), str), f"{where}: only paths are divided"


def test_the_clock_is_read_at_the_edges_only() -> None:
    reading = re.compile(r"(^|\.)(datetime|date)\.(now|utcnow|today)$|^time\.time$")
    found = {name_of(path) for path in CODE for node in nodes(path) if reading.search(called(node))}
    assert found <= MAY_READ_THE_CLOCK.keys()
    assert "core/clock.py" in found


def test_every_exception_above_is_still_needed() -> None:
    for name in (*MAY_COMMIT, *MAY_READ_THE_CLOCK):
        assert (ROOT / name).is_file(), f"{name} is gone: take it off the list"


def test_imports_climb_no_floor() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_is_a_thin_script(path: Path) -> None:
    """Guard, read, show, act; what is longer belongs to the dashboard. Blank lines do not count."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) < LONGEST_PAGE


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_begins_with_its_guard(path: Path) -> None:
    assert any(called(node) == "request_context.require" for node in nodes(path))


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_every_module_opens_by_saying_what_it_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not source.strip() or ast.get_docstring(ast.parse(source)), name_of(path)


def names_of_states() -> frozenset[str]:
    """The values of every enum of statuses, kinds and outcomes; words in capitals only."""
    enums = [
        value
        for path in sorted((ROOT / "core" / "rules").glob("*.py"))
        for value in vars(import_module(f"core.rules.{path.stem}")).values()
        if isinstance(value, type) and issubclass(value, StrEnum)
    ]
    return frozenset(each.value for enum in enums for each in enum if each.value.isupper())


def compared(node: ast.AST) -> Iterator[str]:
    """The texts that something is compared with: by an operator, or as a case."""
    sides: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
    elif isinstance(node, ast.MatchValue):
        sides = [node.value]
    for side in sides:
        inner = side.elts if isinstance(side, ast.Tuple | ast.Set | ast.List) else [side]
        yield from (
            each.value for each in inner if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )


def test_a_status_or_kind_is_compared_by_its_name_and_not_by_its_letters() -> None:
    """A literal outlives the member that it once was."""
    states = names_of_states()
    found = [
        f"{name_of(path)}:{getattr(node, 'lineno', 0)} {text}"
        for path in CODE
        if not name_of(path).startswith("core/gateways/stripe_sandbox")
        for node in nodes(path)
        for text in compared(node)
        if text in states
    ]
    assert found == []
    assert {"QUEUED", "ADMINISTRATIVE_REVIEW", "PAYER"} <= states


INPUTS = (
    "input",
    "selectbox",
    "multiselect",
    "radio",
    "checkbox",
    "toggle",
    "area",
    "uploader",
    "control",
    "pills",
)


def typed_or_chosen(function: ast.AST) -> set[str]:
    """The names of what a person types or chooses in this function."""
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and called(node.value).rpartition("_")[2] in INPUTS
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_a_press_takes_what_the_fields_hold_now() -> None:
    """Arguments of a callback are those of the last drawing: `confirm.pressed` and what the run has read."""
    bound = [
        f"{name_of(path)}:{node.lineno}"
        for path in CODE
        if name_of(path).startswith(("dashboard/", "pages/"))
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef) and (fields := typed_or_chosen(function))
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and any(each.arg == "on_click" for each in node.keywords)
        for given in node.keywords
        if given.arg in ("args", "kwargs")
        if fields & {each.id for each in ast.walk(given.value) if isinstance(each, ast.Name)}
    ]
    assert bound == []


def test_a_field_for_a_day_takes_one_notation() -> None:
    """2026-11-18 in every field; `deadlines.day` says 18 Nov 2026 everywhere else. No page says a day another way."""
    fields = [
        f"{name_of(path)}:{node.lineno}"
        for path in CODE
        if name_of(path).startswith(("dashboard/", "pages/"))
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "date_input"
        if "YYYY-MM-DD"
        not in [each.value.value for each in node.keywords if isinstance(each.value, ast.Constant)]
    ]
    assert fields == []
    other = re.compile(r"%-?d %B|:%d %b|:%Y-%m-%d")
    finance = [path for path in CODE if name_of(path).startswith(("dashboard/finance/", "pages/"))]
    assert [name_of(path) for path in finance if other.search(path.read_text(encoding="utf-8"))] == []


def test_no_test_is_skipped_without_saying_why() -> None:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in nodes(path):
            if called(node) in ("pytest.mark.skip", "pytest.mark.xfail", "pytest.skip"):
                assert isinstance(node, ast.Call)
                assert node.args or any(word.arg == "reason" for word in node.keywords), name_of(path)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:  # an unpacked archive has no history
        return CODE
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_test_is_named_after_the_moment() -> None:
    """Each of several processes collects the tests by itself, and they must find the same."""
    moments = {"time.time", "time.monotonic", "datetime.now", "uuid4", "random.random", "random.randint"}
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef)
        for decorator in function.decorator_list
        for node in ast.walk(decorator)
        if isinstance(node, ast.Call) and called(node) in moments
    ]
    assert found == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    """A clone works anywhere: no path of a workplace, no address of a registry, no name of a tool's session."""
    here = re.compile(
        r"/(?:work|home/[a-z]+|Users/[A-Za-z]+)/(?:main|shared)\b"
        + r"|\b(?:pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian)"
    )
    found = []
    for path in tracked():
        if path.is_file() and path.suffix not in {".png", ".jpg", ".woff2", ".pdf", ".ico"}:
            text = path.read_text(encoding="utf-8", errors="ignore")
            found += [f"{name_of(path)}: {hit.group()}" for hit in here.finditer(text)]
    assert found == []


def test_each_rule_is_tested_and_the_table_of_rules_is_made_from_the_map() -> None:
    """That a named test calls the rule it proves is seen while it runs: `tests/conftest.py`."""
    assert rules.untested() == []
    assert rules.lost() == []
    assert rules.TABLE.read_text(encoding="utf-8") == rules.table(), "run `python -m scripts.rules`"


def test_migrations_are_one_chain() -> None:
    """Two that follow the same one can each be right by itself, and together no database could be made."""
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    texts = [path.read_text(encoding="utf-8") for path in files]
    revisions = [re.findall(r'^revision = "(\w+)"', text, re.MULTILINE)[0] for text in texts]
    before = [each for text in texts for each in re.findall(r'^down_revision = "(\w+)"', text, re.MULTILINE)]
    assert len(set(revisions)) == len(revisions)
    assert len(set(before)) == len(before) == len(revisions) - 1, (
        "one begins, and each is followed by one at most"
    )
