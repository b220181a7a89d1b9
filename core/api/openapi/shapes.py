"""What the generated description does not know by itself: names that tell enums apart, one shape for every problem, and
that a request needs its key *and* its signature."""

from __future__ import annotations

import json
import re
from typing import Any

# Enums whose own name is enough where they stand, and not in a description that holds all of them.
NAMES = {
    "Part": "EngagementPart",
    "Status": "MilestoneStatus",
    "Outcome": "MilestoneOutcome",
    "State": "PaymentState",
    "Source": "ReportSource",
    "Severity": "ReportSeverity",
}
_REFERENCE = "#/components/schemas/"


def named(schema: dict[str, Any]) -> dict[str, Any]:
    """The same description, its enums under the names that stand for them outside."""
    shapes = schema["components"]["schemas"]
    for name, better in NAMES.items():
        if name in shapes:
            shapes[better] = shapes.pop(name) | {"title": better}
    text = re.sub(
        rf'"{_REFERENCE}({"|".join(NAMES)})"',
        lambda found: f'"{_REFERENCE}{NAMES[found[1]]}"',
        json.dumps(schema),
    )
    again: dict[str, Any] = json.loads(text)
    return again


def problem() -> dict[str, Any]:
    """The shape of every refusal, `application/problem+json`."""
    return {
        "type": "object",
        "title": "Problem",
        "description": "A refusal: it did nothing.",
        "required": ["type", "title", "status", "detail", "code", "facts"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened, for a reader."},
            "code": {"$ref": f"{_REFERENCE}ProblemCode"},
            "facts": {
                "type": "object",
                "additionalProperties": True,
                "description": "The facts behind it, for a program: ids, codes, amounts, times.",
            },
        },
    }


def require_both(schema: dict[str, Any]) -> None:
    """All schemes of an operation at once. As it is generated, one of them would be enough."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            if "security" in operation:
                operation["security"] = [
                    {name: scopes for each in operation["security"] for name, scopes in each.items()}
                ]
