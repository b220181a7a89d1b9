"""Why a field cannot be used, in words: what is wrong, and what would do.

Most of it Pydantic says well. Of a pattern it only repeats the pattern, and an object it calls a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api.models import requests

_CONTROL = "it has control characters in it, which cannot be kept"
PATTERNS: Mapping[str, str] = {
    requests.ONE_LINE: "it must be one line, with something in it and without control characters",
    requests.EMAIL: "it must be one e-mail address, as name@example.com",
    **dict.fromkeys((requests.MANY_LINES, requests.MAYBE_LINES, requests.MAYBE_LINE), _CONTROL),
    requests.COUNTRY: "it must be a country's code of two capital letters, as US",
    requests.CURRENCY: "it must be a currency's code of three capital letters, as USD",
    requests.STATE: "it must be a state, by its name in letters, as Oregon",
    requests.TOKEN: "only letters, digits, - and _ can stand in it",
    requests.PRINTABLE: "only printable ASCII characters without blanks can stand in it",
    requests.LETTER_KIND: "it must be the kind of an e-mail, as it stands in `mutable`",
}
"""What stands for a pattern, for whoever does not read patterns."""


def why(error: Mapping[str, Any]) -> str:
    """Without what was sent: it may be anything, and it may be personal."""
    match error["type"]:
        case "string_pattern_mismatch":
            return PATTERNS.get(error["ctx"]["pattern"], str(error["msg"]))
        case "model_attributes_type":
            return "it must be a JSON object"
        case "value_error":
            return str(error["msg"]).removeprefix("Value error, ")
    return str(error["msg"])
