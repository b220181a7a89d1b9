"""A step in a process of its own, which may be killed at a named point (`kill -9`, without a chance to tidy up), or be
held there while others go on: a machine that stands still for a minute, or two people at the same moment.

A point is before or after something that others can see: a statement that writes, a commit, a call to Stripe. Its name
says which part of the desk was at it, so that the report can say where processes have died.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from types import FrameType
from typing import Any

import requests
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from core.db import is_away

WRITES = ("INSERT", "UPDATE", "DELETE", "WITH", "SELECT post_", "SELECT record_")
ROADS = ("core/processes/", "core/actions/", "core/audit/")


class Point(StrEnum):
    BEFORE_WRITE = "before a statement that writes"
    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    BEFORE_CALL = "before a call to Stripe"
    AFTER_CALL = "after a call to Stripe, its answer unread"


@dataclass(frozen=True)
class Death:
    """The `nth` time that a step comes to a point, of this kind or (None) of any, its process dies."""

    point: Point | None
    nth: int


@dataclass(frozen=True)
class Pause(Death):
    """It stands still there, and goes on when it is told to; `wakes` is given the minutes that it has missed."""

    wakes: Callable[[int], None]


@dataclass
class Begun:
    """A process, and the pipes on which it says that it stands still (`held`) and how it ended (`says`); by `go` it
    is told to go on."""

    process: int
    says: int
    held: int
    go: int

    def stands_still(self) -> str:
        """Returns when it does, with the name of the point, or when it has ended, with nothing."""
        return os.read(self.held, 1_000).decode()

    def ends_within(self, seconds: float) -> bool:
        """Or not: it waits for somebody."""
        ready, _, _ = select.select([self.says], [], [], seconds)
        return bool(ready)

    def goes_on(self, *, minutes: int) -> None:
        with suppress(BrokenPipeError):
            os.write(self.go, f"{minutes}".encode())

    def close(self) -> None:
        os.close(self.go)
        os.close(self.held)


@dataclass
class Ended:
    """How a step in its own process ended: its result, what it raised, or the name of the point where it died."""

    result: Any = None
    trouble: str = ""
    away: bool = False
    """Whether the trouble was that the database was away."""
    died: str = ""


def begun(step: Callable[[], Any], death: Death | None) -> Begun:
    """Fork, and do it there, to the end, or to its death or pause."""
    (says, writes), (held, holds), (waits, go) = os.pipe(), os.pipe(), os.pipe()
    process = os.fork()
    if process:
        for each in (writes, holds, waits):
            os.close(each)
        return Begun(process, says, held, go)
    for each in (says, held, go):
        os.close(each)
    code = 1
    try:
        if isinstance(death, Pause):
            comes_to(death, lambda point: death.wakes(_stand_still(point, holds, waits)))
        elif death:
            comes_to(death, lambda point: _die(point, writes))
        try:
            said = Ended(result=step())
        except Exception as problem:
            said = Ended(trouble=f"{type(problem).__name__}: {problem}", away=is_away(problem))
        _say(writes, said)
        code = 0
    finally:
        os._exit(code)


def awaited(of: Begun) -> Ended:
    with os.fdopen(of.says, "rb") as pipe:
        said = pipe.read()
    of.close()
    _, status = os.waitpid(of.process, 0)
    if not said:
        raise RuntimeError(f"a step's process ended with status {status} and said nothing")
    ended = pickle.loads(said)
    assert isinstance(ended, Ended)
    return ended


def _say(writes: int, ended: Ended) -> None:
    with os.fdopen(writes, "wb", closefd=False) as pipe:
        pickle.dump(ended, pipe)


def _die(point: str, writes: int) -> None:
    _say(writes, Ended(died=point))
    os.kill(os.getpid(), signal.SIGKILL)


def _stand_still(point: str, holds: int, waits: int) -> int:
    """The minutes that it took."""
    os.write(holds, point.encode()[:1_000])
    return int(os.read(waits, 100))


def comes_to(
    death: Death, happens: Callable[[str], None], *, counts: Callable[[], bool] = lambda: True
) -> None:
    """From now on `happens` is called at that point of this process, by its name; `counts`: whether one does."""
    left = death.nth

    def at(point: Point) -> None:
        nonlocal left
        if death.point not in (None, point) or not counts():
            return
        left -= 1
        if not left:
            happens(f"{_who(sys._getframe())}: {point}")

    def statement(_: Any, __: Any, sql: str, *___: Any) -> None:
        if sql.lstrip().startswith(WRITES):
            at(Point.BEFORE_WRITE)

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", lambda _: at(Point.BEFORE_COMMIT))
    event.listen(Session, "after_commit", lambda _: at(Point.AFTER_COMMIT))
    send = requests.Session.send

    def sent(self: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        to_stripe = request.method == "POST" and "/v1/" in str(request.url)
        if to_stripe:
            at(Point.BEFORE_CALL)
        answer = send(self, request, **how)
        if to_stripe:
            at(Point.AFTER_CALL)
        return answer

    requests.Session.send = sent  # type: ignore[method-assign]


at_work = ["a person"]
"""The action that is being taken, for what happens when it has returned: its commit."""


def _who(frame: FrameType | None) -> str:
    """The outermost function of the desk's processes or actions that is at work."""
    found = at_work[0]
    while frame:
        file = frame.f_code.co_filename.replace(os.sep, "/")
        if any(road in file for road in ROADS):
            found = file.split("/core/")[-1].removesuffix(".py") + "." + frame.f_code.co_name
        frame = frame.f_back
    return found
