"""Several people at the same moment: threads that start together, each with its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from core.errors import DeskError
from tests import patience


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """What each of them returned, or the refusal it got, in the order given. Any other error is raised."""
    together = Barrier(len(actions))

    def one(action: Callable[[], Any]) -> Any:
        together.wait(timeout=patience.SECONDS)
        try:
            return action()
        except DeskError as refusal:
            return refusal

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(one, actions))


def refusals(results: Sequence[Any]) -> list[str]:
    return [each.code for each in results if isinstance(each, DeskError)]
