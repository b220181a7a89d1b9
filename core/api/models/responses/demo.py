"""A demo's clock."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment


class DemoClockAnswer(TypedDict):
    """The time of a demo, how far it is ahead of the computer's, and where to it is being moved. `trouble`: why it does
    not go on, or which endpoint does not answer."""

    now: Moment
    ahead_seconds: int
    moving: bool
    until: Moment | None
    trouble: str | None
