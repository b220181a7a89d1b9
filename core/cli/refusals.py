"""What a command says when it does not do what it was asked: one sentence, and for a program the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from core.errors import DeskError, snake

WHOLE, YES_OR_NO = "it must be a whole number", "it must be true or false"
WANTED: Mapping[str, str] = {
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_from_float": WHOLE,
    "float_parsing": "it must be a number",
    "bool_type": YES_OR_NO,
    "bool_parsing": YES_OR_NO,
    "greater_than_equal": "it must be {ge} or more",
    "less_than_equal": "it must be {le} or less",
    "string_pattern_mismatch": "it is not written as it has to be",
}
"""What is wanted, by pydantic's name of the fault; {} are the limits that it names."""
MISSING = ("42P01", "42703", "42883")  # PostgreSQL: no such table, column, function


class SchemaMissing(DeskError):
    """The database does not have the present schema ({reason}). Run `escrow-desk migrate`."""


@dataclass(frozen=True)
class Refusal:
    """`code` and `facts` are a program's, named as in the API's refusals; `detail` is the sentence, empty where all is
    said already."""

    detail: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        from core.api.http.problem_details import plain

        told = {"code": self.code, "detail": self.detail, "facts": plain(self.facts)}
        return json.dumps(told, ensure_ascii=False)


def refusal(problem: Exception) -> Refusal:
    """What to say about something that went wrong."""
    if isinstance(problem, DeskError):
        return Refusal(problem.message, problem.code, problem.facts)
    if isinstance(problem, OperationalError):
        return Refusal(
            f"The database cannot be reached: {_first_line(problem)}. Check DATABASE_URL, and that it runs.",
            "database_unreachable",
        )
    if isinstance(problem, ArgumentError):
        return Refusal(
            "The database's address cannot be read. DATABASE_URL looks like postgresql://login:password@host/name.",
            "database_address_unreadable",
        )
    if isinstance(problem, SQLAlchemyError):
        return _by_the_database(problem)
    if isinstance(problem, OSError):
        where = f"{problem.filename}: " if problem.filename else ""
        return Refusal(f"{where}{problem.strerror or problem}. Nothing more was done.", "system_refused")
    if (said := getattr(problem, "format_message", None)) and (asked := getattr(problem, "ctx", None)):
        return Refusal(_misunderstood(problem, str(said()), asked.command_path), "misunderstood")
    unforeseen = f"Unexpected error ({type(problem).__name__}: {problem})."
    return Refusal(f"{unforeseen} LOG_LEVEL=DEBUG shows where.", "unexpected")


def _by_the_database(problem: SQLAlchemyError) -> Refusal:
    state = getattr(problem.orig, "sqlstate", None) if isinstance(problem, DBAPIError) else None
    if state in MISSING:
        return refusal(SchemaMissing(reason=_first_line(problem)))
    if state == "42501":
        return Refusal(
            f"This database login may not do that: {_first_line(problem)}. See the roles in docs/operations.md.",
            "login_forbidden",
        )
    return Refusal(f"The database refused: {_first_line(problem)}.", snake(type(problem).__name__))


def _misunderstood(problem: Exception, said: str, command: str) -> str:
    """Options and arguments that do not fit; empty when help was shown instead, because nothing was asked."""
    cause = problem.__cause__
    if isinstance(cause, ValidationError):
        theirs = str(cause.errors()[0]["msg"])
        said = said.replace(theirs, misfit(cause))
    fault = " ".join(said.split()).rstrip(".")
    ends = "" if fault.endswith("?") else "."
    return f"{fault}{ends} `{command} --help` says what it takes." if fault else ""


def misfit(problem: ValidationError) -> str:
    """What does not fit, in the desk's own words: `it must be a whole number`."""
    first = problem.errors()[0]
    facts = first.get("ctx", {})
    if first["type"] == "value_error":  # our own check, or the parser's
        return str(facts["error"])
    return WANTED.get(first["type"], "it cannot be read").format(**facts)


def asked_for_json(words: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, also where it cannot be read otherwise."""
    own = words[: words.index("--")] if "--" in words else words
    return "--json" in own


def _first_line(problem: SQLAlchemyError) -> str:
    said = str(getattr(problem, "orig", None) or problem).strip().splitlines() or [type(problem).__name__]
    return said[0].rstrip(".:")
