"""Reading a body strictly: UTF-8 JSON in which every name is given once, and nothing that only looks like JSON.

Two programs that read the same bytes must read the same request: a name given twice, a NaN or another encoding would be
read by one of them in another way than it was signed for.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from core.api.http.problem_details import RequestUnreadable, UnsupportedMediaType

JSON = "application/json"
FORM = "multipart/form-data"


def media_type(content_type: str) -> str:
    """Without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def require_form(content_type: str) -> None:
    """Raises `UnsupportedMediaType`. A file comes with its fields in a form."""
    if media_type(content_type) != FORM:
        raise UnsupportedMediaType(needed=FORM)


def require_json(body: bytes, content_type: str) -> None:
    """Raises `UnsupportedMediaType`, `RequestUnreadable`. What the fields hold is looked at later."""
    if media_type(content_type) != JSON:
        raise UnsupportedMediaType(needed=JSON)
    if not body:
        raise RequestUnreadable(why="its body is empty; send a JSON object.")
    try:
        json.loads(body.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise RequestUnreadable(why="it is not UTF-8.") from None
    except RecursionError:
        raise RequestUnreadable(why="it is nested too deeply.") from None
    except ValueError:
        raise RequestUnreadable(why="it is not JSON, or a number in it is too long.") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RequestUnreadable(why="an object in it gives a name twice.")
    return found


def _no_number(word: str) -> NoReturn:
    raise RequestUnreadable(why=f"{word} is no number in JSON.")
