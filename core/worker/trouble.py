"""Something that goes wrong again and again is one thing to say, not a thousand."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from core.errors import DeskError

log = structlog.get_logger("worker")


AWAY = (OperationalError, InterfaceError)


def sentence(error: Exception) -> str | None:
    """What to say of a trouble that was foreseen, such as a database that is away; None where a traceback helps."""
    if isinstance(error, DeskError):
        return error.message
    if isinstance(error, PoolExhausted):
        return "Every connection to the database was in use."
    if isinstance(error, AWAY):
        said = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
        return f"The database is away: {said[0].rstrip('.:')}."
    return None


class Trouble:
    """What is wrong with one repeated piece of work. A new trouble is logged, the same again is not, its end is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = ""

    def met(self, error: Exception) -> None:
        foreseen = sentence(error)
        reason = foreseen or f"{type(error).__name__}: {error}"
        if reason != self._last:
            log.error(f"{self._name}.failed", reason=reason, exc_info=None if foreseen else error)
        self._last = reason

    def over(self) -> None:
        if self._last:
            log.info(f"{self._name}.recovered", after=self._last)
        self._last = ""
