"""What a mediator can do about a refusal is found by the refusal's own code."""

from __future__ import annotations

from collections.abc import Iterator

import core.actions.decisions.confirmation
import core.case_file  # noqa: F401  every refusal of the desk is known once its actions are
from core.errors import DeskError
from dashboard.case import next_steps


def _all(kind: type[DeskError]) -> Iterator[str]:
    yield kind.code
    for each in kind.__subclasses__():
        yield from _all(each)


def test_each_piece_of_advice_belongs_to_a_refusal_that_exists() -> None:
    assert set(next_steps.NEXT) - set(_all(DeskError)) == set()
