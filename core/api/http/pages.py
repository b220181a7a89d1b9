"""Lists: one page after the other, each from where the last one ended, however much there is.

A cursor is opaque. It holds where the page ended, in the order and under the filters of its list, and is refused with
any other. A page costs the same number of statements whatever its size and wherever it begins: one, and where the
order is by something that may be missing one more, for the rows without it, which come last in both directions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.api.models.filters import Listed
from core.api.models.requests import LARGEST_ID
from core.errors import DeskError

Sorts = Mapping[str, InstrumentedAttribute[Any]]


class CursorUnfit(DeskError):
    """This is no cursor of this list with these filters and this order. Send `next` of the page before as it came, or
    begin without one."""


@dataclass(frozen=True)
class Page:
    """`next`: the cursor of the page that follows; None on the last one."""

    rows: Sequence[Any]
    next: str | None


def page(
    session: Session,
    wanted: Select[Any],
    asked: Listed,
    *,
    key: InstrumentedAttribute[Any],
    sorts: Sorts,
) -> Page:
    """One page of what is wanted. `key` tells rows apart that are equal in the order that was asked for. Raises
    `CursorUnfit`."""
    by, descending = sorts[asked.sort.removeprefix("-")], asked.sort.startswith("-")
    stamp, most = _stamp(asked), asked.limit + 1
    after = _read(asked.cursor, stamp, by) if asked.cursor is not None else None
    found: list[Any] = []
    if after is None or after[0] is not None:
        rows = wanted.where(by.is_not(None)) if by.nullable else wanted
        found += session.scalars(_ordered(rows, (by, key), after, descending=descending).limit(most))
    if by.nullable and len(found) < most:
        rows = wanted.where(by.is_(None))
        last = (after[1],) if after is not None and after[0] is None else None
        found += session.scalars(_ordered(rows, (key,), last, descending=descending).limit(most - len(found)))
    if len(found) <= asked.limit:
        return Page(found, None)
    last = found[asked.limit - 1]
    return Page(found[: asked.limit], _written(stamp, getattr(last, by.key), getattr(last, key.key)))


def _ordered(
    rows: Select[Any], order: Sequence[InstrumentedAttribute[Any]], after: Any, *, descending: bool
) -> Select[Any]:
    """In this order, from this place on."""
    if after is not None:
        place = tuple_(*order)
        rows = rows.where(place < after if descending else place > after)
    return rows.order_by(*(each.desc() if descending else each for each in order))


def _stamp(asked: Listed) -> str:
    """What a cursor goes with: the list, its filters and its order."""
    said = asked.model_dump(mode="json", exclude={"cursor", "limit"})
    text = json.dumps([type(asked).__name__, said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _written(stamp: str, value: Any, key: Any) -> str:
    plain = [stamp, value.isoformat() if isinstance(value, date) else value, key]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _read(cursor: str, stamp: str, by: InstrumentedAttribute[Any]) -> tuple[Any, int]:
    try:
        of, value, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if of == stamp:
            missing = value is None and by.nullable
            return None if missing else _place(value, by.type.python_type), _whole(key)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise CursorUnfit() from None


def _place(value: Any, kind: type) -> Any:
    """Where the page ended, as the column has it. Raises `ValueError`, `TypeError`."""
    if kind is not datetime:
        return _whole(value)
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("no moment")
    return at


def _whole(value: Any) -> int:
    """A number that a row can have. Raises `ValueError`."""
    if type(value) is not int or not 0 <= value <= LARGEST_ID:
        raise ValueError("no number")
    return value
