"""Something that goes wrong again and again is one thing to say, not a thousand."""

from __future__ import annotations

import structlog

from core.errors import DeskError

log = structlog.get_logger("worker")


class Trouble:
    """What is wrong with one repeated piece of work. A new trouble is logged, the same again is not, its end is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = ""

    def met(self, error: Exception) -> None:
        expected = isinstance(error, DeskError)
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        if reason != self._last:
            log.error(f"{self._name}.failed", reason=reason, exc_info=None if expected else error)
        self._last = reason

    def over(self) -> None:
        if self._last:
            log.info(f"{self._name}.recovered", after=self._last)
        self._last = ""
