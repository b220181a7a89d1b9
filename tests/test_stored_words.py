"""A stored status or kind is said by the member of its enum: its text stands there, and nowhere else in the core."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Enum

import core
from core.db import Record
from core.rules.messages import AuthorKind

CORE = Path(core.__file__).parent
COLUMNS = [
    column
    for table in Record.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, Enum)
]
# The kinds of actor are a closed `Literal` of `Actor`, and mypy refuses any other text.
STORED = {
    value for column in COLUMNS if column.type.enum_class is not AuthorKind for value in column.type.enums
}
# `field` is also what an error says that it is about.
NAMES = ({column.name for column in COLUMNS} | {"state", "side"}) - {"field"}
ASKS = {"in_", "not_in", "is_distinct_from"}

EXCEPTIONS = {
    "gateways": "speaks the provider's language, which has the same words for other things",
    "api/openapi/examples.py": "what a marketplace reads and writes, as it is on the wire",
    "rules/status_labels.py": "the one table of labels for a status of any kind, by its stored text",
    "rules/transitions.py": "the one table of English for a status of any kind, by its stored text",
    "queries/operations.py": "the states of its page: SENT is one of them, and no status of an operation",
    "api/models/requests.py": "the schema of what a marketplace may write: `Literal` types, checked by pydantic",
}
SOURCES = [
    path
    for path in sorted(CORE.rglob("*.py"))
    if not any(str(path.relative_to(CORE)).startswith(each) for each in EXCEPTIONS)
]


def said(source: str) -> Iterator[tuple[int, str]]:
    """Where a stored text is compared, asked for, or given as what it is stored as."""
    for node in ast.walk(ast.parse(source)):
        for each in _places(node):
            for text in ast.walk(each):
                if isinstance(text, ast.Constant) and text.value in STORED:
                    yield text.lineno, text.value


def _places(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Compare(left=ast.Constant(value=str(key)), ops=[ast.In() | ast.NotIn()]) if (
            not key.isupper()
        ):
            return []  # whether facts have this key
        case ast.Compare():
            return [
                each
                for each in (node.left, *node.comparators)
                if not isinstance(each, ast.Call | ast.Subscript)
            ]
        case ast.Call(func=ast.Attribute(attr=attr)) if attr in ASKS:
            return [*node.args]
        case ast.keyword(arg=arg) if arg in NAMES:
            return [node.value]
        case ast.Call(func=ast.Attribute(attr="become")):
            return [*node.args]
        case ast.MatchValue():
            return [node.value]
        case ast.Dict():
            return [
                each for each in node.keys if isinstance(each, ast.Constant) and str(each.value).isupper()
            ]
    return []


def test_a_stored_word_is_said_by_its_member() -> None:
    found = {str(path.relative_to(CORE)): [*said(path.read_text())] for path in SOURCES}
    assert {path: each for path, each in found.items() if each} == {}


def test_a_bare_word_is_found() -> None:
    bare = """
call.status == "QUEUED" or row.status in ("SENDING", "BLOCKED")
select(OutgoingOperation).where(OutgoingOperation.kind.in_(("TRANSFER",)))
audit.become(item, "SETTLED", now=now)
Refund(status="PENDING")
"""
    assert {word for _, word in said(bare)} == {
        "QUEUED",
        "SENDING",
        "BLOCKED",
        "TRANSFER",
        "SETTLED",
        "PENDING",
    }
