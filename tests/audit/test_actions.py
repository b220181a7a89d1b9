"""The audit log's actions are one table: each is titled and left somewhere, and nothing else is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import core
from core.audit.actions import KINDS, NO_LONGER, AuditAction, title

CORE = Path(core.__file__).parent
SOURCES = [
    path
    for path in sorted(CORE.rglob("*.py"))
    if path.relative_to(CORE).parts[0] != "gateways" and path != CORE / "audit" / "actions.py"
]
# They read what others left.
READERS = {CORE / "audit" / "filters.py", *(CORE / "case_file").glob("verify_*.py")}
# The entry of a step that no action tells of is named after the status.
STEPS = CORE / "audit" / "statuses.py"
WHOLE = re.compile(r"[a-z]+:[a-z_]+:[a-z_]+")
PART = re.compile(r":[a-z_]+:[a-z_]*")


def uses(source: str) -> set[str]:
    """The members that are named there."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "AuditAction"
    }


def texts(source: str) -> Iterator[str]:
    """What reads like the name of an action, whole or put together."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = [each.value for each in node.values if isinstance(each, ast.Constant)]
            yield from (str(each) for each in parts if PART.fullmatch(str(each)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and WHOLE.fullmatch(node.value):
            yield node.value


def test_every_action_has_a_title_and_no_two_are_called_the_same() -> None:
    assert set(KINDS) == set(AuditAction)
    titles = [kind.title for kind in KINDS.values()]
    assert sorted({each for each in titles if titles.count(each) > 1}) == []


def test_every_action_is_left_somewhere() -> None:
    left = set[str]().union(*(uses(path.read_text()) for path in SOURCES if path not in READERS))
    assert {each.name for each in AuditAction} - left == {each.name for each in NO_LONGER}


def test_no_entry_is_named_by_a_text() -> None:
    found = {str(path.relative_to(CORE)): [*texts(path.read_text())] for path in SOURCES if path != STEPS}
    assert {path: each for path, each in found.items() if each} == {}


def test_a_name_put_together_from_texts_is_found() -> None:
    assert [*texts('note(f"{actor.kind}:hold:place", "staff:hold:lift", f"finance:refund:{verb}")')] == [
        ":hold:place",
        "staff:hold:lift",
    ]


def test_what_is_stored_keeps_its_words() -> None:
    assert AuditAction.CASE_ASSIGN.by("mediator") == "mediator:ticket:assign"
    assert title("mediator:ticket:assign") == "Mediator changed"
    assert title("system:payout:sending") == "Payout: sending"
    assert title("system:letter:sent") == "E-mail: sent"
    assert title("system:payment_order:paid_held") == "Payment order: paid, held"
